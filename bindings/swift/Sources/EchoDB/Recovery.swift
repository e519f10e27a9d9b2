internal import EchoDBNative

extension Client {
    /// Makes a new recovery phrase and gives its 24 words (BIP 39, English).
    ///
    /// **They are shown this one time and stored nowhere**: have them written down. Whoever has them
    /// can become the identity. On a device that came by a phrase that one is void from
    /// now on; phrases made before on any other device stay in force and rank above it. Throws
    /// ``EchoError/Kind/permissionDenied`` unless this is the identity's most senior device, or one
    /// that the present phrase brought back, and ``EchoError/Kind/invalidState`` without identity.
    public func createRecoveryPhrase() async throws -> String {
        try await translating { try await native.createRecoveryPhrase() }
    }

    /// Makes a new recovery phrase in place of `current`, one of this identity that is in force, and
    /// gives its 24 words, this one time.
    ///
    /// From then on `current` is void, and so is every phrase that ranks below it. Any device of the
    /// identity may do so, connected or not: for when others may have read the words. Devices that
    /// `current` brought back stay. Throws ``EchoError/Kind/invalidArgument`` if the words are no
    /// phrase, ``EchoError/Kind/permissionDenied`` if the phrase is not in force for this identity,
    /// ``EchoError/Kind/limitExceeded`` when it was done more than twenty times, and
    /// ``EchoError/Kind/invalidState`` without identity.
    public func replaceRecoveryPhrase(_ current: String) async throws -> String {
        try await translating { try await native.replaceRecoveryPhrase(current: current) }
    }

    /// Recovers the identity of a phrase on a client that has none.
    ///
    /// It takes any one device that holds the identity, online at the same signalling servers, and no
    /// server beside these. Returns when the identity is here; its spaces follow, as on any new
    /// device. A task that is cancelled meanwhile still gets the answer.
    ///
    /// Throws ``EchoError/Kind/invalidArgument`` if the words are no phrase,
    /// ``EchoError/Kind/invalidState`` if there is an identity already or the client is offline,
    /// ``EchoError/Kind/permissionDenied`` if the phrase is void since a newer one was made, and
    /// ``EchoError/Kind/timedOut`` if no device was found. With `revokeOlder`, the last may also mean
    /// that the identity is recovered (``identity`` is there) but its spaces have not all come, so
    /// that no device was revoked.
    ///
    /// - Parameters:
    ///   - phrase: The 24 words.
    ///   - deviceName: What this device is called.
    ///   - revokeOlder: Whether every device that the identity had before is revoked, in all spaces,
    ///     once the spaces have come: for when devices were stolen.
    ///   - timeout: How long it may take in all, 1 second to 1 day.
    @discardableResult
    public func recoverIdentity(
        _ phrase: String, deviceName: String? = nil, revokeOlder: Bool = false,
        timeout: Duration = .seconds(120)
    ) async throws -> IdentityInfo {
        let options = EchoDBNative.RecoverOptions(
            deviceName: deviceName, revokeOlder: revokeOlder,
            timeoutS: try timeout.wholeSeconds(for: "timeout"))
        return IdentityInfo(
            native: try await translating {
                try await native.recoverIdentity(phrase: phrase, options: options)
            })
    }
}
