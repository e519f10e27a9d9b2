package dev.echodb

/**
 * Text that merges character by character, for a field of an object. A plain `String` is replaced
 * as a whole instead. To change a part of one that is stored, use [Space.spliceText] or
 * [Transaction.spliceText]. Positions are those of Kotlin's strings: UTF-16 units.
 *
 * @property value The text.
 */
public class Text(public val value: String) : CharSequence {
    override val length: Int get() = value.length

    override fun get(index: Int): Char = value[index]

    override fun subSequence(startIndex: Int, endIndex: Int): CharSequence =
        value.subSequence(startIndex, endIndex)

    override fun equals(other: Any?): Boolean = other is Text && other.value == value

    override fun hashCode(): Int = value.hashCode()

    /** The text. */
    override fun toString(): String = value
}

/**
 * An integer to which concurrent increments add up, for a field of an object; see
 * [Transaction.increment].
 *
 * @property value The sum, when it was read; or what it begins with.
 */
public data class Counter(public val value: Long)

/**
 * A weak reference, for a field of an object: the object it names may not exist, or not yet.
 *
 * @property id The object's id.
 * @property space The other space's id; `null` for the space that the reference stands in.
 */
public data class Ref @JvmOverloads constructor(public val id: String, public val space: String? = null) {
    /** `echo:OBJECT` or `echo://SPACE/OBJECT`. */
    override fun toString(): String = if (space == null) "echo:$id" else "echo://$space/$id"

    public companion object {
        /**
         * Reads what [toString] wrote.
         *
         * @throws EchoException.InvalidArgument if it is not a reference.
         */
        @JvmStatic
        public fun parse(text: String): Ref {
            if (text.startsWith(FAR)) {
                val parts = text.removePrefix(FAR).split('/', limit = 2)
                if (parts.size == 2) return Ref(parts[1], parts[0])
            } else if (text.startsWith(NEAR)) {
                return Ref(text.removePrefix(NEAR))
            }
            throw EchoException.InvalidArgument("\"$text\" is not a reference")
        }

        private const val NEAR = "echo:"
        private const val FAR = "echo://"
    }
}

/**
 * What names a blob, for a field of an object: the blob is kept for as long as an object names it.
 * The bytes are apart; see [Space.putBlob], [Space.readBlob] and [Space.fetchBlob].
 *
 * @property id The blob's id, 52 characters.
 * @property size Its size in bytes.
 */
public data class BlobRef(public val id: String, public val size: Long)

/** Whether two values of fields are the same, byte arrays by what they hold. */
internal fun sameValue(one: Any?, other: Any?): Boolean =
    when {
        one is ByteArray && other is ByteArray -> one.contentEquals(other)
        one is List<*> && other is List<*> ->
            one.size == other.size && one.indices.all { sameValue(one[it], other[it]) }
        one is Map<*, *> && other is Map<*, *> ->
            one.size == other.size && one.all { (name, value) -> name in other && sameValue(value, other[name]) }
        else -> one == other
    }
