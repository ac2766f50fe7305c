//! Which layers of an image lie above those of its base: diff IDs say it, because they are the same however a layer is stored.

use super::DiffId;

/// Label that names the base of an image, and the one with its digest.
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// See [`BASE_NAME`].
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// How many of the lowest layers of an image are those of a base.
///
/// # Errors
/// The position of the first layer that is another one, or that the image does not have.
pub fn layers_of_base(image: &[DiffId], base: &[DiffId]) -> Result<usize, usize> {
    let same = image.iter().zip(base).take_while(|(own, other)| own == other).count();
    if same == base.len() { Ok(same) } else { Err(same) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn a_base_is_a_beginning() {
        let [a, b, c] = ["a", "b", "c"].map(|text| DiffId(Digest::of(text.as_bytes())));
        let check = |image: &[&DiffId], base: &[&DiffId], expect: Result<usize, usize>| {
            let owned = |all: &[&DiffId]| all.iter().map(|id| (*id).clone()).collect::<Vec<_>>();
            assert_eq!(layers_of_base(&owned(image), &owned(base)), expect);
        };
        check(&[&a, &b, &c], &[&a, &b], Ok(2));
        check(&[&a], &[&a], Ok(1));
        check(&[&a], &[], Ok(0));
        check(&[&a], &[&a, &b], Err(1));
        check(&[&a, &c], &[&b], Err(0));
    }
}
