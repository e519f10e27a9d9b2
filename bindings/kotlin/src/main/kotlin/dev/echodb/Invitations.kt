package dev.echodb

import java.time.Instant
import dev.echodb.ffi.GuestUpdate as NativeGuest
import dev.echodb.ffi.InvitationInfo as NativeInfo
import dev.echodb.ffi.InvitationKind as NativeKind
import dev.echodb.ffi.InvitationType as NativeType
import dev.echodb.ffi.QrModules as NativeModules

/** How an invitation is hosted and used. */
public enum class InvitationType {
    /** This client lets in one guest, who enters an authorization code. */
    INTERACTIVE,

    /** This client lets in several guests, each with an authorization code of its own. */
    MULTI_USE,

    /** Any member who is online lets in whoever has the code. */
    DELEGATED,
    ;

    internal companion object {
        fun of(type: NativeType): InvitationType =
            when (type) {
                NativeType.INTERACTIVE -> INTERACTIVE
                NativeType.MULTI_USE -> MULTI_USE
                NativeType.DELEGATED -> DELEGATED
            }
    }
}

/** What an invitation leads to. */
public enum class InvitationKind {
    /** Membership of a space. */
    SPACE,

    /** A further device of the identity. */
    DEVICE,
    ;

    internal companion object {
        fun of(kind: NativeKind): InvitationKind =
            when (kind) {
                NativeKind.SPACE -> SPACE
                NativeKind.DEVICE -> DEVICE
            }
    }
}

/**
 * One line of the list of invitations; see [Client.invitations].
 *
 * @property id Names it, for [Client.cancelInvitation] and [Client.invitation]: 32 hexadecimal digits.
 * @property space The space; `null` on the side of a guest who does not know it yet.
 * @property kind What it leads to.
 * @property invitationType How it is hosted and used.
 * @property joining Whether this client is the guest.
 * @property role The role that guests get, at most; `null` on the guest's side.
 * @property created When it was made; `null` if another device made it.
 * @property expires When it ends; on the guest's side, when it is given up.
 * @property maxUses How many guests it may let in; `null` for any number.
 * @property uses How many it let in, as far as is known here.
 * @property state Where it stands; [InvitationState.INIT] while it does not run: the client is
 *   offline, or its space closed.
 * @property code The code, if its secret is here.
 * @property url The code as a link, likewise.
 */
public data class InvitationInfo(
    public val id: String,
    public val space: String?,
    public val kind: InvitationKind,
    public val invitationType: InvitationType,
    public val joining: Boolean,
    public val role: String?,
    public val created: Instant?,
    public val expires: Instant,
    public val maxUses: Int?,
    public val uses: Int,
    public val state: InvitationState,
    public val code: String?,
    public val url: String?,
) {
    internal companion object {
        fun of(info: NativeInfo): InvitationInfo =
            InvitationInfo(
                id = info.id,
                space = info.space,
                kind = InvitationKind.of(info.kind),
                invitationType = InvitationType.of(info.invitationType),
                joining = info.joining,
                role = info.role,
                created = info.createdMs.toLong().takeIf { it != 0L }?.let(Instant::ofEpochMilli),
                expires = Instant.ofEpochMilli(info.expiresMs.toLong()),
                maxUses = info.maxUses?.toInt(),
                uses = info.uses.toInt(),
                state = InvitationState.of(info.state),
                code = info.code,
                url = info.url,
            )
    }
}

/**
 * One guest at a host's door.
 *
 * @property number Tells the guests of one invitation apart; rises with each.
 * @property state How far it has come.
 * @property name Its display name, once it has given one; not proven.
 * @property authCode The authorization code for this guest, six digits, while it is good.
 * @property fingerprint As that of [InvitationUpdate].
 */
public data class GuestUpdate(
    public val number: Int,
    public val state: InvitationState,
    public val name: String?,
    public val authCode: String?,
    public val fingerprint: String?,
) {
    internal companion object {
        fun of(guest: NativeGuest): GuestUpdate =
            GuestUpdate(
                number = guest.number.toInt(),
                state = InvitationState.of(guest.state),
                name = guest.name,
                authCode = guest.authCode,
                fingerprint = guest.fingerprint,
            )
    }
}

/**
 * A QR code as its modules.
 *
 * @property width Modules of one side, 21 to 177.
 * @property modules [width] times [width] bytes, row by row from the top left: 1 dark, 0 light. A
 *   picture needs four light modules on each side around them.
 */
public class QrModules internal constructor(
    public val width: Int,
    public val modules: ByteArray,
) {
    /** Whether a module is dark; both numbers from 0. */
    public fun isDark(row: Int, column: Int): Boolean {
        if (row !in 0 until width || column !in 0 until width) {
            throw EchoException.InvalidArgument("the code has $width rows and columns, no place $row, $column")
        }
        return modules[row * width + column] == 1.toByte()
    }

    internal companion object {
        fun of(native: NativeModules): QrModules = QrModules(native.width.toInt(), native.modules)
    }
}
