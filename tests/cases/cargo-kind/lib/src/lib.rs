pub fn name() -> &'static str {
    "agent"
}
