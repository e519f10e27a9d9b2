package dev.echodb

import dev.echodb.ffi.MarkExpand as NativeExpand
import dev.echodb.ffi.TextMark as NativeMark

/** Whether a mark grows when text is inserted at its ends. */
public enum class MarkExpand(internal val native: NativeExpand) {
    /** At neither end, as of a link. */
    NONE(NativeExpand.NONE),

    /** At its start. */
    BEFORE(NativeExpand.BEFORE),

    /** At its end, as of bold text, which goes on when one types on. */
    AFTER(NativeExpand.AFTER),

    /** At both. */
    BOTH(NativeExpand.BOTH),
}

/**
 * A mark on a stretch of a text.
 *
 * @property start Where it begins, in UTF-16 units.
 * @property end Where it ends, likewise.
 * @property name Its name.
 * @property value Its value.
 */
public data class TextMark(
    public val start: Int,
    public val end: Int,
    public val name: String,
    public val value: Any?,
) {
    internal companion object {
        fun of(mark: NativeMark): TextMark =
            TextMark(mark.start.toInt(), mark.end.toInt(), mark.name, loadValue(mark.value))
    }
}
