@file:JvmName("Archives")

package dev.echodb.blocking

import dev.echodb.ArchiveInfo
import java.nio.file.Path

/** See [dev.echodb.verifyArchive]. */
public fun verifyArchive(path: Path): ArchiveInfo = waiting { dev.echodb.verifyArchive(path) }
