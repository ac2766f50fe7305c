fn main() {
    println!("{}", lib::NAME);
}
