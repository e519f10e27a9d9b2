// A peer on another WebRTC stack (libdatachannel). It finds the peer under test through the
// signalling server, opens a data channel to it in the given role, and echoes every message.
// It is also a second, independent implementation of the signalling protocol and its seal.
//
// usage: node peer.mjs URL TOPIC KEY offer|answer     (topic and key: 32 bytes in hexadecimal)
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import nodeDataChannel from "node-datachannel";
import WebSocket from "ws";

const [url, topicHex, keyHex, role] = process.argv.slice(2);
const topic = Buffer.from(topicHex, "hex");
const topicText = topic.toString("base64url");
const key = Buffer.from(keyHex, "hex");
const me = randomBytes(16);
let other;

const associated = (from, to) =>
  Buffer.concat([Buffer.from("echo-db signal v1"), topic, from, to]);

function seal(text) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAAD(associated(me, other));
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.from([1]), nonce, body, cipher.getAuthTag()]);
}

function open(sealed, from) {
  if (sealed[0] !== 1) throw new Error("unknown seal");
  const nonce = sealed.subarray(1, 13);
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  decipher.setAAD(associated(from, me));
  decipher.setAuthTag(sealed.subarray(-16));
  const body = decipher.update(sealed.subarray(13, -16));
  return Buffer.concat([body, decipher.final()]).toString("utf8");
}

function fail(message) {
  console.error(`peer: ${message}`);
  process.exit(1);
}
setTimeout(() => fail("out of time"), 60_000).unref();

const socket = new WebSocket(url);
const say = (frame) => socket.send(JSON.stringify(frame));
const signal = (payload) =>
  say({
    t: "send",
    topic: topicText,
    to: other.toString("hex"),
    data: seal(JSON.stringify(payload)).toString("base64url"),
  });

const connection = new nodeDataChannel.PeerConnection("peer", {
  iceServers: [],
  bindAddress: "127.0.0.1",
});
connection.onLocalDescription((sdp, type) => signal({ kind: type, sdp }));
connection.onLocalCandidate((candidate, mid) =>
  signal({ kind: "candidate", candidate, mid, line: 0 }),
);
connection.onDataChannel(serve);

let channel;
function serve(opened) {
  channel = opened;
  channel.onMessage((message) => {
    if (!Buffer.isBuffer(message)) fail("a text message came");
    if (message.toString() === "close") return channel.close();
    channel.sendMessageBinary(message);
  });
  channel.onClosed(() => {
    console.log("closed");
    socket.close();
    // Time for the goodbye to leave.
    setTimeout(() => {
      connection.close();
      process.exit(0);
    }, 200);
  });
}

function meet(peer) {
  if (other) return;
  other = Buffer.from(peer, "hex");
  if (role === "offer") serve(connection.createDataChannel("echo-db"));
}

socket.on("error", (error) => fail(error.message));
socket.on("open", () => {
  say({ t: "hello", v: 1, peer: me.toString("hex") });
  say({ t: "join", topic: topicText });
});
socket.on("message", (text) => {
  const frame = JSON.parse(text);
  switch (frame.t) {
    case "peers":
      return frame.peers.forEach(meet);
    case "joined":
      return meet(frame.peer);
    case "message": {
      meet(frame.from);
      const opened = open(Buffer.from(frame.data, "base64url"), Buffer.from(frame.from, "hex"));
      const payload = JSON.parse(opened);
      if (payload.kind === "candidate") {
        return connection.addRemoteCandidate(payload.candidate, payload.mid ?? "0");
      }
      return connection.setRemoteDescription(payload.sdp, payload.kind);
    }
    case "error":
      return fail(`refused: ${frame.code}: ${frame.detail}`);
  }
});
