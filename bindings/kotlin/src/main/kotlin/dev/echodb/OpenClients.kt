package dev.echodb

import kotlinx.coroutines.runBlocking
import java.util.Collections
import java.util.WeakHashMap
import dev.echodb.ffi.Client as NativeClient

/**
 * Clients that nobody has shut down, so that what is pending in them is committed when the program
 * ends without. None is kept alive by being here.
 */
internal object OpenClients {
    private val clients = Collections.synchronizedSet(Collections.newSetFromMap(WeakHashMap<NativeClient, Boolean>()))

    init {
        Runtime.getRuntime().addShutdownHook(Thread(::shutdownAll, "echodb shutdown"))
    }

    fun add(client: NativeClient) {
        clients.add(client)
    }

    fun remove(client: NativeClient) {
        clients.remove(client)
    }

    private fun shutdownAll() {
        val all = synchronized(clients) { ArrayList(clients) }
        for (client in all) {
            // What goes wrong is in the log; nobody is left to be told.
            runCatching { runBlocking { client.shutdown() } }
        }
    }
}
