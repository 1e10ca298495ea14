//! Round trips and damage, without assembler.
use super::*;

#[test]
fn abi_hash_is_stable() {
    assert_eq!(abi_hash(), abi_hash());
}

#[test]
fn damage_is_an_error() {
    assert!(Image::parse(b"").is_err());
    assert!(Image::parse(&[0x7f; 5000]).is_err());
}
