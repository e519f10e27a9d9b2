"""The same outside peer as peer.mjs, on aiortc, a WebRTC stack in Python that knows no trickling.

usage: python peer.py URL TOPIC KEY offer|answer     (topic and key: 32 bytes in hexadecimal)
"""

import asyncio
import base64
import json
import os
import sys

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from websockets.asyncio.client import connect

LIMIT_SECONDS = 60


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Peer:
    def __init__(self, socket, topic, key, role):
        self.socket, self.topic, self.role = socket, topic, role
        self.cipher = ChaCha20Poly1305(key)
        self.me = os.urandom(16)
        self.other = None
        self.connection = RTCPeerConnection()
        self.connection.on("datachannel", self.serve)
        self.closed = asyncio.Event()

    def associated(self, sender, receiver):
        return b"echo-db signal v1" + self.topic + sender + receiver

    async def say(self, **frame):
        await self.socket.send(json.dumps(frame))

    async def signal(self):
        description = self.connection.localDescription
        payload = json.dumps({"kind": description.type, "sdp": description.sdp}).encode()
        nonce = os.urandom(12)
        sealed = self.cipher.encrypt(nonce, payload, self.associated(self.me, self.other))
        data = encode(b"\x01" + nonce + sealed)
        await self.say(t="send", topic=encode(self.topic), to=self.other.hex(), data=data)

    def serve(self, channel):
        @channel.on("message")
        def on_message(message):
            if message == b"close":
                channel.close()
            else:
                channel.send(message)

        channel.on("close", self.closed.set)

    async def meet(self, peer):
        if self.other is not None:
            return
        self.other = bytes.fromhex(peer)
        if self.role == "offer":
            self.serve(self.connection.createDataChannel("echo-db"))
            await self.connection.setLocalDescription(await self.connection.createOffer())
            await self.signal()

    async def on_message(self, frame):
        sender = bytes.fromhex(frame["from"])
        sealed = decode(frame["data"])
        assert sealed[0] == 1, "unknown seal"
        opened = self.cipher.decrypt(sealed[1:13], sealed[13:], self.associated(sender, self.me))
        payload = json.loads(opened)
        if payload["kind"] == "candidate":
            text = payload["candidate"].removeprefix("candidate:")
            if text:
                candidate = candidate_from_sdp(text)
                candidate.sdpMid = payload["mid"]
                candidate.sdpMLineIndex = payload["line"]
                await self.connection.addIceCandidate(candidate)
            return
        description = RTCSessionDescription(payload["sdp"], payload["kind"])
        await self.connection.setRemoteDescription(description)
        if payload["kind"] == "offer":
            await self.connection.setLocalDescription(await self.connection.createAnswer())
            await self.signal()

    async def listen(self):
        await self.say(t="hello", v=1, peer=self.me.hex())
        await self.say(t="join", topic=encode(self.topic))
        async for text in self.socket:
            frame = json.loads(text)
            if frame["t"] == "peers":
                for peer in frame["peers"]:
                    await self.meet(peer)
            elif frame["t"] == "joined":
                await self.meet(frame["peer"])
            elif frame["t"] == "message":
                await self.meet(frame["from"])
                await self.on_message(frame)
            elif frame["t"] == "error" and frame["code"] != "no_such_peer":
                raise SystemExit(f"peer: refused: {frame}")


async def main(url, topic, key, role):
    async with connect(url) as socket:
        peer = Peer(socket, bytes.fromhex(topic), bytes.fromhex(key), role)
        listening = asyncio.create_task(peer.listen())
        closed = asyncio.create_task(peer.closed.wait())
        done, _ = await asyncio.wait([listening, closed], return_when=asyncio.FIRST_COMPLETED)
        if closed not in done:
            # Signalling ends once the channel is open; an error ends the program.
            await listening
        await closed
        listening.cancel()
        await asyncio.sleep(0.2)
        await peer.connection.close()
        print("closed")


asyncio.run(asyncio.wait_for(main(*sys.argv[1:5]), LIMIT_SECONDS))
