#![no_main]

// Frames to the client, and to the server.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    echodb::fuzzing::signal_frame(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = echodb_signal::protocol::ClientFrame::parse(text);
    }
});
