package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Instant

/** Every kind of value comes back as it went in. */
class ValueTest {
    private val noon = Instant.parse("2026-11-23T12:00:00.123Z")

    private val values: Map<String, Any?> = mapOf(
        "null" to null,
        "true" to true,
        "false" to false,
        "long" to Long.MIN_VALUE,
        "large" to Long.MAX_VALUE,
        "beyond doubles" to (1L shl 53) + 1,
        "double" to 2.0,
        "whole and large" to 1e300,
        "minus nothing" to -0.0,
        "tiny" to Double.MIN_VALUE,
        "huge" to Double.MAX_VALUE,
        "string" to "a\"b\\c\n\u0000é😀",
        "bytes" to ByteArray(256) { it.toByte() },
        "moment" to noon,
        "old" to Instant.parse("0001-01-01T00:00:00Z"),
        "far" to Instant.ofEpochMilli(1L shl 60),
        "text" to Text("héllo 😀"),
        "counter" to Counter(-3),
        "ref" to Ref("0000000000000000000000000a"),
        "list" to listOf(1L, listOf(2.5, mapOf("x" to listOf(null, Text("in")))), "z"),
        "map" to mapOf("m" to mapOf("b" to ByteArray(0), "when" to noon), "empty" to emptyMap<String, Any?>()),
        "no items" to emptyList<Any?>(),
    )

    @Test
    fun `what goes in comes out`() = testSpace { _, space ->
        val id = space.create("All", values)
        val found = space.get(id)!!
        for ((name, value) in values) {
            val other = found[name]
            assertTrue(sameValue(value, other), "$name: $value is read as $other")
            if (value !is Collection<*> && value !is Map<*, *>) {
                assertEquals(value?.javaClass, other?.javaClass, name)
            }
        }
        assertEquals(values.size, found.fields.size)
        assertEquals(found, space.query(type = "All").single())
        space.update(id, found.fields)
        assertTrue(sameValue(values, space.get(id)!!.fields))
    }

    @Test
    fun `doubles that JSON lacks`() = testSpace { _, space ->
        val odd = mapOf("nan" to Double.NaN, "inf" to Double.POSITIVE_INFINITY, "neg" to Double.NEGATIVE_INFINITY)
        val id = space.create(null, odd)
        assertEquals(odd, space.get(id)!!.fields)
    }

    @Test
    fun `lookalikes`() = testSpace { _, space ->
        val id = space.create(
            null,
            mapOf(
                "int" to 1, "short" to 2.toShort(), "byte" to 3.toByte(), "float" to 0.5f, "char" to 'c',
                "set" to setOf(1), "array" to arrayOf("x", null), "builder" to StringBuilder("b"),
                "nanos" to noon.plusNanos(999_999),
            ),
        )
        val expected = mapOf(
            "int" to 1L, "short" to 2L, "byte" to 3L, "float" to 0.5, "char" to "c",
            "set" to listOf(1L), "array" to listOf("x", null), "builder" to "b", "nanos" to noon,
        )
        assertEquals(expected, space.get(id)!!.fields)
    }

    @Test
    fun `texts, counters and references`() = testSpace { _, space ->
        assertEquals(Text("a"), Text("a"))
        assertFalse(Text("a").equals("a"))
        assertEquals("bc", Text("abc").subSequence(1, 3))
        assertEquals('b', Text("abc")[1])
        assertEquals("abc", Text("abc").toString())
        val other = space.create(null, emptyMap())
        val elsewhere = Ref(other, space.id)
        val id = space.create(null, mapOf("here" to Ref(other), "there" to elsewhere))
        val holder = space.get(id)!!
        assertEquals(Ref(other), holder["here"])
        assertEquals(elsewhere, holder["there"])
        assertEquals(elsewhere, Ref.parse(elsewhere.toString()))
        for (nonsense in listOf("nonsense", "echo://half", "")) {
            thrown<EchoException.InvalidArgument> { Ref.parse(nonsense) }
        }
    }

    @Test
    fun `what cannot be a value`() = testSpace { _, space ->
        val cyclic = mutableListOf<Any?>().also { it.add(it) }
        val wrong = listOf<Any?>(
            mapOf("@text" to "smuggled"), mapOf(1 to 2), "\ud800", mapOf("\udc00" to 1), Ref("not an id"),
            Any(), java.math.BigInteger.ONE, Instant.MAX, IntArray(1),
        )
        for (value in wrong) {
            thrown<EchoException.InvalidArgument> { space.create(null, mapOf("x" to value)) }
        }
        thrown<EchoException.LimitExceeded> { space.create(null, mapOf("x" to cyclic)) }
        thrown<EchoException.InvalidArgument> { space.create("\ud800", emptyMap()) }
        assertEquals(emptyList<EchoObject>(), space.query())
    }
}
