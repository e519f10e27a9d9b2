package dev.echodb

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import dev.echodb.ffi.generatedCallbacks
import dev.echodb.ffi.libraryVersion as nativeVersion
import dev.echodb.ffi.uniffiEnsureInitialized
import java.io.File
import java.io.IOException

private const val NAME = "echodb"

/** What the library's threads are called in Java. */
internal const val THREAD: String = "echodb"

/** The version of the native library, `MAJOR.MINOR.PATCH`; the same as this package's. */
public val libraryVersion: String
    get() {
        prepareLibrary()
        return translated { nativeVersion() }
    }

/** Once before anything is asked of the library. */
internal fun prepareLibrary() {
    prepared
}

private val prepared: Unit by lazy {
    // First: a callback has it for good, or not, from when the library is handed it.
    keepThreadsAttached()
    uniffiEnsureInitialized()
    // Loaded, it needs no name any more; where the system keeps the file until then, at the end.
    val file = unpacked
    if (file != null && isTemporary(file) && !file.delete()) file.deleteOnExit()
}

/**
 * What JNA is to load: the library in the jar, unpacked, so that one of another version that the
 * system may have is not taken for it; or, where the jar has none, as on Android, its plain name.
 */
internal fun nativeLibraryName(): String = unpacked?.path ?: NAME

private val unpacked: File? by lazy {
    try {
        Native.extractFromResourcePath(NAME, Client::class.java.classLoader)
    } catch (_: IOException) {
        null
    }
}

/** Whether JNA has unpacked the file from a jar, instead of finding it in a folder of classes. */
private fun isTemporary(file: File): Boolean = file.name.startsWith("jna")

/**
 * The library's threads come and go in a pool and call back often, so each stays attached to the
 * Java machine until it ends, instead of being attached anew for every call. As daemons they keep
 * no program from ending.
 */
private fun keepThreadsAttached() {
    val attached = CallbackThreadInitializer(true, false, THREAD)
    generatedCallbacks().forEach { Native.setCallbackThreadInitializer(it, attached) }
}
