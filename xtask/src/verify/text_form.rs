//! Bytes of texts in JSON: as text where they are one, which is short and quickly read; else as a list of numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'b> {
    Text(std::borrow::Cow<'b, str>),
    Bytes(std::borrow::Cow<'b, [u8]>),
}

pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    let form = |bytes| std::str::from_utf8(bytes).map_or(Form::Bytes(bytes.into()), |text| Form::Text(text.into()));
    bytes.as_deref().map(form).serialize(serializer)
}

pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let form = Option::<Form<'static>>::deserialize(deserializer)?;
    Ok(form.map(|form| match form {
        Form::Text(text) => text.into_owned().into_bytes(),
        Form::Bytes(bytes) => bytes.into_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Kept(#[serde(with = "super")] Option<Vec<u8>>);

    #[test]
    fn all_bytes_come_back() {
        for (bytes, json) in
            [(None, "null"), (Some(&b"a\n"[..]), "\"a\\n\""), (Some(b"\xff\0"), "[255,0]"), (Some(b""), "\"\"")]
        {
            let kept = Kept(bytes.map(<[u8]>::to_vec));
            let text = serde_json::to_string(&kept).unwrap();
            assert_eq!(text, json);
            assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
        }
    }
}
