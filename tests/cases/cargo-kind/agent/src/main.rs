fn main() {
    println!("{}", lib::name());
}
