"""Encryption at rest: passphrases and key providers."""

from __future__ import annotations

import os
import pathlib
import tempfile
import unittest
from typing import Dict, Optional

import echodb
from echodb import Encryption, EncryptionMode, Status


class Keys:
    """Keeps keys in memory."""

    def __init__(self) -> None:
        self.stored: Dict[str, bytes] = {}
        self.locked = False

    def load_key(self, profile: str) -> Optional[bytes]:
        if self.locked:
            raise RuntimeError("the keyring is locked")
        return self.stored.get(profile)

    def store_key(self, profile: str, key: bytes) -> None:
        self.stored[profile] = key


def says(directory: str, word: bytes) -> bool:
    files = pathlib.Path(directory).rglob("*")
    return any(word in file.read_bytes() for file in files if file.is_file())


class EncryptionTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.profile = os.path.join(directory.name, "profile")

    async def test_files_are_encrypted_unless_asked_not_to(self) -> None:
        word = "needleinthehaystack"
        for mode, kept in [
            (EncryptionMode.OFF, Encryption.PLAIN),
            (EncryptionMode.AUTO, Encryption.FILE_KEY),
        ]:
            async with echodb.Client.open(self.profile, online=False, encryption=mode) as client:
                self.assertEqual(client.status().encryption, kept)
                if client.identity is None:
                    await client.create_identity(word)
                space = await client.default_space()
                await space.create(None, {"title": word})
                await space.flush()
            self.assertEqual(says(self.profile, word.encode()), kept is Encryption.PLAIN)
        async with echodb.Client.open(online=False) as client:
            self.assertEqual(client.status().encryption, Encryption.MEMORY)
            with self.assertRaises(echodb.InvalidState):
                await client.set_passphrase(None, "x")

    async def test_a_passphrase(self) -> None:
        async with echodb.Client.open(self.profile, online=False, passphrase="one") as client:
            self.assertEqual(client.status().encryption, Encryption.PASSPHRASE)
            identity = await client.create_identity("Ada")
        with self.assertRaises(echodb.PermissionDenied) as wrong:
            await echodb.Client.open(self.profile, online=False, passphrase="two")
        self.assertEqual(wrong.exception.status, Status.WRONG_PASSPHRASE)
        with self.assertRaises(echodb.Storage) as missing:
            await echodb.Client.open(self.profile, online=False)
        self.assertEqual(missing.exception.status, Status.KEY_UNAVAILABLE)
        async with echodb.Client.open(self.profile, online=False, passphrase="one") as client:
            with self.assertRaises(echodb.PermissionDenied):
                await client.set_passphrase("no", "two")
            await client.set_passphrase("one", "two")
        async with echodb.Client.open(self.profile, online=False, passphrase="two") as client:
            self.assertEqual(client.identity, identity)
            await client.set_passphrase("two", None)
            self.assertEqual(client.status().encryption, Encryption.FILE_KEY)

    async def test_a_key_provider(self) -> None:
        keys = Keys()
        async with echodb.Client.open(self.profile, online=False, key_provider=keys) as client:
            self.assertEqual(client.status().encryption, Encryption.KEY_PROVIDER)
        ((name, key),) = keys.stored.items()
        self.assertEqual((len(name), len(key)), (32, 32))
        async with echodb.Client.open(self.profile, online=False, key_provider=keys):
            pass
        keys.locked = True
        with self.assertRaises(echodb.Storage) as locked:
            await echodb.Client.open(self.profile, online=False, key_provider=keys)
        self.assertEqual(locked.exception.status, Status.KEY_UNAVAILABLE)
        self.assertIn("the keyring is locked", str(locked.exception))
        keys.locked = False
        keys.stored[name] = bytes(32)
        with self.assertRaises(echodb.Storage):
            await echodb.Client.open(self.profile, online=False, key_provider=keys)


if __name__ == "__main__":
    unittest.main()
