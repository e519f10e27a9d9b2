#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| echodb::fuzzing::credential(data));
