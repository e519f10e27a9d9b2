package dev.echodb

import kotlinx.coroutines.flow.Flow
import java.time.Instant
import dev.echodb.ffi.Contact as NativeContact
import dev.echodb.ffi.ExcludedEntry as NativeExcluded
import dev.echodb.ffi.Explanation as NativeExplanation
import dev.echodb.ffi.Member as NativeMember
import dev.echodb.ffi.MemberEvent as NativeEvent
import dev.echodb.ffi.MemberEventKind as NativeKind
import dev.echodb.ffi.MemberListener as NativeListener
import dev.echodb.ffi.Resubmission as NativeResubmission
import dev.echodb.ffi.Space as NativeSpace

/**
 * A device of a member.
 *
 * @property device The device's key.
 * @property name The name it goes by, empty if it has none.
 * @property revoked Whether it was revoked: it does not act for the member any more.
 */
public data class MemberDevice(
    public val device: String,
    public val name: String,
    public val revoked: Boolean,
)

/**
 * A member of a space.
 *
 * @property identity The identity's key.
 * @property displayName The name it gave itself.
 * @property role `owner`, `admin`, `editor`, `reader` or `relay`.
 * @property devices The keys of its devices that act for it.
 * @property rank 1 for whom nobody stands above, otherwise one more than the number of members who
 *   do. Of owners the one who has been it longer stands above; other members of one role are equals.
 * @property joined When this device first heard of it as a member, by this device's clock: for
 *   display, other devices have other times. `null` if that was not noted.
 * @property deviceDetails All its devices, revoked ones included, rising by key.
 */
public data class Member(
    public val identity: String,
    public val displayName: String,
    public val role: String,
    public val devices: List<String>,
    public val rank: Int,
    public val joined: Instant?,
    public val deviceDetails: List<MemberDevice>,
) {
    internal companion object {
        fun of(member: NativeMember): Member =
            Member(
                identity = member.identity,
                displayName = member.displayName,
                role = member.role,
                devices = member.devices,
                rank = member.rank.toInt(),
                joined = member.joinedMs?.let(Instant::ofEpochMilli),
                deviceDetails = member.deviceDetails.map { MemberDevice(it.device, it.name, it.revoked) },
            )
    }
}

/** What became of a member. */
public enum class MemberEventKind {
    /** It joined, or joined again. */
    JOINED,

    /** Its role is another one. */
    ROLE_CHANGED,

    /** Somebody else ended its role. */
    REMOVED,

    /** It ended its role itself. */
    LEFT,

    /**
     * It has a role again because the removal that had ended it counts no longer: whoever removed it
     * was removed at the same time, by somebody who stands higher. Remove it again if that is not
     * wanted.
     */
    BACK,

    /** It has a further device. */
    DEVICE_ADDED,

    /** A device of it does not count any more. */
    DEVICE_REVOKED,

    /** It is the space's top owner now, whom nobody can remove. */
    HANDED_OVER,
    /**
     * The collector or listener was so slow that events were dropped in this one's place: list the
     * members again. The identity and its name are empty.
     */
    MISSED,
    ;

    internal companion object {
        fun of(kind: NativeKind): MemberEventKind =
            when (kind) {
                NativeKind.JOINED -> JOINED
                NativeKind.ROLE_CHANGED -> ROLE_CHANGED
                NativeKind.REMOVED -> REMOVED
                NativeKind.LEFT -> LEFT
                NativeKind.BACK -> BACK
                NativeKind.DEVICE_ADDED -> DEVICE_ADDED
                NativeKind.DEVICE_REVOKED -> DEVICE_REVOKED
                NativeKind.HANDED_OVER -> HANDED_OVER
                NativeKind.MISSED -> MISSED
            }
    }
}

/**
 * A change of a space's members.
 *
 * @property space The space's id.
 * @property kind What happened.
 * @property identity To whom: an identity's key. It may be this client's own identity.
 * @property displayName The name it gave itself.
 * @property role The role it has now; `null` for one who is no member.
 * @property previousRole The role it had before; `null` for one who was no member.
 * @property device The device's key, of events about a device.
 * @property by The identity that did it; of [MemberEventKind.BACK] the one whose removal counts no
 *   longer. For display: several may have done the same at the same time.
 * @property byName The name that one gave itself.
 * @property text All of this as a sentence in English, for logs.
 */
public data class MemberEvent(
    public val space: String,
    public val kind: MemberEventKind,
    public val identity: String,
    public val displayName: String,
    public val role: String?,
    public val previousRole: String?,
    public val device: String?,
    public val by: String?,
    public val byName: String?,
    public val text: String,
) {
    internal companion object {
        fun of(event: NativeEvent): MemberEvent =
            MemberEvent(
                space = event.space,
                kind = MemberEventKind.of(event.kind),
                identity = event.identity,
                displayName = event.displayName,
                role = event.role,
                previousRole = event.previousRole,
                device = event.device,
                by = event.`by`,
                byName = event.byName,
                text = event.text,
            )
    }
}

/**
 * Receives what becomes of members on the library's threads, one event at a time for each
 * subscription, with no lock held. One that throws is logged and kept.
 */
public fun interface MemberListener {
    /** Something became of a member; every call made here sees it. */
    public fun changed(event: MemberEvent)
}

/**
 * A space that a contact is a member of.
 *
 * @property space The space's id.
 * @property spaceName The space's name, empty if it has none.
 * @property displayName The name that the contact gave itself there.
 * @property role The contact's role there.
 */
public data class ContactSpace(
    public val space: String,
    public val spaceName: String,
    public val displayName: String,
    public val role: String,
)

/**
 * An identity that shares a space with this one.
 *
 * @property identity The identity's key.
 * @property displayName The name it gave itself in the first of the spaces where it has one.
 * @property spaces The open spaces in which it is a member, in the order of the profile's list.
 */
public data class Contact(
    public val identity: String,
    public val displayName: String,
    public val spaces: List<ContactSpace>,
) {
    internal companion object {
        fun of(contact: NativeContact): Contact =
            Contact(
                contact.identity,
                contact.displayName,
                contact.spaces.map { ContactSpace(it.space, it.spaceName, it.displayName, it.role) },
            )
    }
}

/**
 * An entry that does not count: written by a member who was denied, or by one who might not write,
 * or built on such. It stays stored, sealed, and counts again if the denial does not.
 *
 * @property entry The entry.
 * @property device The device that wrote it.
 * @property identity Whose device that is.
 * @property time When, by its author's clock: a claim, not a fact. `null` while its content key is
 *   not here.
 * @property reason Why it does not count: a stable code (`denied`, `void`,
 *   `not_permitted`, `builds_on_excluded`), a colon, and a sentence.
 * @property objects The objects that it would change, in id order; empty while its content key is
 *   not here.
 */
public data class ExcludedEntry(
    public val entry: String,
    public val device: String,
    public val identity: String,
    public val time: Instant?,
    public val reason: String,
    public val objects: List<String>,
) {
    internal companion object {
        fun of(entry: NativeExcluded): ExcludedEntry =
            ExcludedEntry(
                entry = entry.entry,
                device = entry.device,
                identity = entry.identity,
                time = entry.timeMs?.let(Instant::ofEpochMilli),
                reason = entry.reason,
                objects = entry.objects,
            )
    }
}

/**
 * Something that a resubmission left out.
 *
 * @property id The object.
 * @property reason Why, a sentence for people.
 */
public data class SkippedResubmission(public val id: String, public val reason: String)

/**
 * What [Space.resubmit] did.
 *
 * @property committed What was written; without an entry if everything had to be left out, or is
 *   there already.
 * @property skipped What was left out.
 */
public data class Resubmission(public val committed: Committed, public val skipped: List<SkippedResubmission>) {
    internal companion object {
        fun of(done: NativeResubmission): Resubmission =
            Resubmission(
                Committed.of(done.committed),
                done.skipped.map { SkippedResubmission(it.`object`, it.reason) },
            )
    }
}

/**
 * An operation that an explanation names.
 *
 * @property entry The id of the control entry that holds it.
 * @property text What it did, as an English sentence; of one that does not count also why not.
 *   Members are called by the names that they gave themselves and the first eight characters of
 *   their keys.
 * @property counts Whether it counts: whoever stands higher voids what the denied do at the same
 *   time.
 */
public data class ExplanationStep(
    public val entry: String,
    public val text: String,
    public val counts: Boolean,
)

/**
 * Why somebody may do something in a space, or may not; see [Space.why].
 *
 * @property allowed Whether it may, as far as this device has heard.
 * @property summary The answer in one English sentence.
 * @property steps The operations that led to it, in an order in which they can have happened: who
 *   invited whom, which role came when, what denied it. Each builds on what is above, or is
 *   concurrent with it.
 */
public data class AccessExplanation(
    public val allowed: Boolean,
    public val summary: String,
    public val steps: List<ExplanationStep>,
) {
    internal companion object {
        fun of(told: NativeExplanation): AccessExplanation =
            AccessExplanation(
                told.allowed,
                told.summary,
                told.steps.map { ExplanationStep(it.entry, it.text, it.counts) },
            )
    }
}

/** More than a collector that collects leaves waiting: a space has at most 200 members. */
private const val WAITING_EVENTS = 4096

internal fun memberEventsOf(
    space: NativeSpace,
    lifeline: Lifeline,
    onListening: suspend () -> Unit,
): Flow<MemberEvent> =
    heard(lifeline, WAITING_EVENTS, { old, _ -> missed(old) }, onListening) { put ->
        Subscription(translated { space.subscribeMembers(MemberAdapter(MemberListener(put))) })
    }

/** What stands for an event and the one after it, which are dropped. */
internal fun missed(old: MemberEvent): MemberEvent =
    MemberEvent(
        space = old.space,
        kind = MemberEventKind.MISSED,
        identity = "",
        displayName = "",
        role = null,
        previousRole = null,
        device = null,
        by = null,
        byName = null,
        text = "some events were missed: list the members again",
    )

/** What the library calls; it lets go of the program's listener with the client. */
internal class MemberAdapter(
    @Volatile private var listener: MemberListener?,
) : NativeListener, Endable {
    override fun changed(event: NativeEvent): Unit = guarded { listener?.changed(MemberEvent.of(event)) }

    override fun end() {
        listener = null
    }
}
