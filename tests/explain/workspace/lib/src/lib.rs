pub const NAME: &str = "lib";
