//! What the generated module lacks to be safe with a garbage collector, cancelled tasks and closed
//! loops, and to be quick: a few of its lines are replaced.

use crate::run::Outcome;

/// Each piece that is replaced; it has to be there exactly once.
const PIECES: [(&str, &str); 13] = [
    // The tables of callbacks have a lock. The collector may run while it is held, and drop a
    // subscription, which waits for a callback on another thread, which waits for the lock. The
    // single operations of a dict, and of a counter, need none.
    (
        "self._lock = threading.Lock()\n        self._counter = _UNIFFI_HANDLEMAP_INITIAL",
        "self._counter = itertools.count(_UNIFFI_HANDLEMAP_INITIAL, _UNIFFI_HANDLEMAP_DELTA)",
    ),
    (
        "        with self._lock:\n            return self._insert(obj)",
        "        return self._insert(obj)",
    ),
    (
        "handle = self._counter\n        self._counter += _UNIFFI_HANDLEMAP_DELTA",
        "handle = next(self._counter)",
    ),
    (
        "            with self._lock:\n                return self._map[handle]",
        "            return self._map[handle]",
    ),
    (
        "            with self._lock:\n                obj = self._map[handle]\n                return self._insert(obj)",
        "            return self._insert(self._map[handle])",
    ),
    (
        "            with self._lock:\n                return self._map.pop(handle)",
        "            return self._map.pop(handle)",
    ),
    // A call whose result is there at once is answered on the loop's own thread: no need to wake it.
    // One may also be answered after its loop was closed, when nobody waits for it any more.
    (
        "_UniffiContinuationHandleMap.insert((eventloop, future)),",
        "_UniffiContinuationHandleMap.insert((eventloop, future, threading.get_ident())),",
    ),
    (
        "    (eventloop, future) = _UniffiContinuationHandleMap.remove(future_ptr)
    eventloop.call_soon_threadsafe(_uniffi_set_future_result, future, poll_code)",
        "    (eventloop, future, thread) = _UniffiContinuationHandleMap.remove(future_ptr)
    if thread == threading.get_ident():
        return _uniffi_set_future_result(future, poll_code)
    try:
        eventloop.call_soon_threadsafe(_uniffi_set_future_result, future, poll_code)
    except RuntimeError:
        pass",
    ),
    // A call that is given up when its result is there already has to take it: freeing the call
    // alone would let a client, say, live for ever.
    (
        "            poll_code = await future\n",
        "            try:
                poll_code = await future
            except BaseException:
                try:
                    lift_func(_uniffi_rust_call_with_error(error_ffi_converter, ffi_complete, rust_future))
                except Exception:
                    pass
                raise
",
    ),
    // What is no text is found before other arguments are handed over, which would be lost.
    (
        "            raise TypeError(\"argument must be str, not {}\".format(type(value).__name__))
        return value",
        "            raise TypeError(\"argument must be str, not {}\".format(type(value).__name__))
        if not value.isascii():
            value.encode(\"utf-8\")
        return value",
    ),
    // Strings are most of what is passed: they are copied as a whole, not through a stream.
    (
        "        with buf.consume_with_stream() as stream:
            return stream.read(stream.remaining()).decode(\"utf-8\")",
        "        try:
            return ctypes.string_at(buf.data, buf.len).decode(\"utf-8\")
        finally:
            buf.free()",
    ),
    (
        "        with _UniffiRustBuffer.alloc_with_builder() as builder:
            builder.write(value.encode(\"utf-8\"))
            return builder.finalize()",
        "        data = value.encode(\"utf-8\")
        foreign = _UniffiForeignBytes(len(data), ctypes.cast(data, ctypes.POINTER(ctypes.c_char)))
        return _uniffi_rust_call(_UniffiLib.ffi_echodb_rustbuffer_from_bytes, foreign)",
    ),
    // Fresh structures are zero, which means success.
    (
        "return _UniffiRustCallStatus(code=_UniffiRustCallStatus.CALL_SUCCESS, error_buf=_UniffiRustBuffer.default())",
        "return _UniffiRustCallStatus()",
    ),
];

/// The module with its pieces replaced; fails if the generator writes them differently.
pub fn harden(module: &str) -> Outcome<String> {
    let mut text = module.to_owned();
    for (piece, better) in PIECES {
        if text.matches(piece).count() != 1 {
            return Err(
                format!("the generated module has changed, look again at:\n{piece}").into(),
            );
        }
        text = text.replace(piece, better);
    }
    match text.contains("with self._lock") {
        true => Err("the generated module uses a lock in a new place: look again".into()),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_has_changed_is_refused() {
        let all: String = PIECES
            .iter()
            .map(|(piece, _)| format!("{piece}\n"))
            .collect();
        let hardened = harden(&all).unwrap();
        assert!(hardened.contains("ffi_complete") && !hardened.contains("with self._lock"));
        assert!(harden(&all.replace("await future", "await it")).is_err());
        assert!(harden(&format!("{all}with self._lock: pass")).is_err());
    }
}
