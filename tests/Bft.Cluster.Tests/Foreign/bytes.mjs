// The layouts of docs/wire.md, written from that page alone.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";

export const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
export const u8 = (value) => Buffer.from([value]);
export const u16 = (value) => { const b = Buffer.alloc(2); b.writeUInt16LE(value); return b; };
export const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
export const u64 = (value) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); return b; };
const varint = (value) => Buffer.from(value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);
const tag = (name) => Buffer.concat([Buffer.from(name.padEnd(15, "\0"), "ascii"), u8(1)]);
const text = (name) => Buffer.concat([u16(Buffer.byteLength(name)), Buffer.from(name)]);

export class Reader {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }
  take(count) {
    assert.ok(this.at + count <= this.bytes.length, "the layout ends early");
    return this.bytes.subarray(this.at, (this.at += count));
  }
  u8() { return this.take(1)[0]; }
  u16() { return this.take(2).readUInt16LE(); }
  u32() { return this.take(4).readUInt32LE(); }
  u64() { return this.take(8).readBigUInt64LE(); }
  varint() { let value = 0; for (let shift = 0; ; shift += 7) { const byte = this.u8(); value |= (byte & 127) << shift; if (byte < 128) return value; } }
  path() { return Array.from({ length: this.u8() }, () => this.take(32)); }
  reference() { return this.take(72); }
  end() { assert.equal(this.at, this.bytes.length, "the layout has trailing bytes"); }
}

// Keys (RFC 8032), as Node's crypto wants them.
export const signer = (seed) => createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]), format: "der", type: "pkcs8" });
export const rawKey = (key) => createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);
const publicKey = (raw) => createPublicKey({ key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]), format: "der", type: "spki" });
export const signed = (statement, key) => ({ statement, signature: sign(null, statement, key) });
export const isSigned = (statement, signature, raw) => verify(null, statement, publicKey(raw), signature);

// Merkle trees (RFC 6962; paths as in RFC 9162, 2.1.3.2).
const leafHash = (leaf) => sha256(u8(0), leaf);
const nodeHash = (left, right) => sha256(u8(1), left, right);
function rootOf(leaf, index, count, path) {
  assert.ok(index < count);
  let [hash, fn, sn] = [leafHash(leaf), index, count - 1];
  for (const sibling of path) {
    assert.ok(sn > 0, "the path is too long");
    if (fn & 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn !== 0 && !(fn & 1)) { fn >>= 1; sn >>= 1; }
    } else {
      hash = nodeHash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  assert.equal(sn, 0, "the path is too short");
  return hash;
}

// Statements.
export const helloStatement = (cluster, key, witness, pin, nonce) => Buffer.concat([tag("bft.hello"), cluster, key, u8(witness), pin, nonce]);
export const streamId = (cluster, key, topic, incarnation) => sha256(tag("bft.stream"), cluster, key, text(topic), incarnation);
export const incarnation = (counter, random) => Buffer.concat([u64(counter), random]);
export const batchStatement = (cluster, key, topic, run, sequence, previous, body) => Buffer.concat([
  tag("bft.batch"), cluster, key, run, u64(sequence), u8(previous ? 1 : 0), previous ?? Buffer.alloc(32), Buffer.alloc(16), u64(0),
  body.root, u32(2), u32(body.count), u32(body.bytes.length), u8(0), text(topic)]);
const ackStatement = (cluster, epoch, reference, base) => Buffer.concat([
  tag("bft.ack"), cluster, u32(epoch), reference.subarray(0, 32), u64(base), reference.subarray(32)]);
const rootStatement = (cluster, epoch, entry, root) => Buffer.concat([
  tag("bft.ackroot"), cluster, u32(epoch), u8(entry.witness), u64(entry.run), u64(entry.mark), u32(entry.leafCount), root]);

// A body of one chunk, without a subject.
export function bodyOf(payloads) {
  const chunk = Buffer.concat(payloads.map((payload) => {
    const rest = Buffer.concat([u8(1), varint(0), varint(0), varint(0), payload]);
    return Buffer.concat([varint(rest.length), rest]);
  }));
  const entry = Buffer.concat([u32(chunk.length), u32(payloads.length), u32(1), u32(0), u32(payloads.length), u16(0)]);
  const table = Buffer.concat([u32(8 + entry.length), u32(1), entry]);
  return { bytes: Buffer.concat([table, chunk]), root: nodeHash(leafHash(table), leafHash(chunk)), count: payloads.length };
}

export function payloadsOf(body) {
  const reader = new Reader(body);
  const table = new Reader(reader.take(body.readUInt32LE(0)));
  table.u32();
  const payloads = [];
  for (let entries = table.u32(); entries > 0; entries--) {
    const chunk = new Reader(reader.take(table.u32()));
    table.u32();
    for (let runs = table.u32(); runs > 0; runs--) {
      const first = table.u32();
      for (let position = first, count = table.u32(); count > 0; count--) {
        const record = new Reader(chunk.take(chunk.varint()));
        assert.equal(record.u8(), 1);
        record.take(record.varint());
        record.take(record.varint());
        for (let headers = record.varint(); headers > 0; headers--) {
          record.take(record.varint());
          record.take(record.varint());
        }
        payloads[position++] = record.take(record.bytes.length - record.at);
      }
    }
    chunk.end();
    table.take(table.u16());
  }
  table.end();
  reader.end();
  return payloads;
}

// An ack bundle, believed as far as its witness's key goes.
export function acksOf(bundle, cluster, keys) {
  const reader = new Reader(bundle);
  const epoch = reader.u32();
  const head = { witness: reader.u8(), run: reader.u64(), mark: reader.u64(), leafCount: reader.u32() };
  const root = reader.take(32);
  const signature = reader.take(64);
  assert.ok(isSigned(rootStatement(cluster, epoch, head, root), signature, keys[head.witness]), "an ack root is not signed");
  const acks = Array.from({ length: reader.u32() }, () => {
    const ack = { ...head, epoch, signature, reference: reader.reference(), base: reader.u64(), leafIndex: reader.u32(), path: reader.path() };
    assert.deepEqual(rootOf(ackStatement(cluster, epoch, ack.reference, ack.base), ack.leafIndex, ack.leafCount, ack.path), root);
    return ack;
  });
  reader.end();
  return acks;
}

export const certificateOf = (acks) => Buffer.concat([
  u8(1), acks[0].reference, u32(acks[0].epoch), u8(acks.length),
  ...acks.toSorted((a, b) => a.witness - b.witness).flatMap((ack) => [
    u8(ack.witness), u64(ack.base), u32(ack.leafIndex), u32(ack.leafCount), u64(ack.run), u64(ack.mark), ack.signature, u8(ack.path.length), ...ack.path])]);

// What a certificate proves: its batch; by a quorum of distinct witnesses.
export function verifyCertificate(bytes, cluster, keys) {
  const reader = new Reader(bytes);
  assert.equal(reader.u8(), 1);
  const reference = reader.reference();
  const epoch = reader.u32();
  const witnesses = Array.from({ length: reader.u8() }, () => {
    const [witness, base, leafIndex, leafCount, run, mark] = [reader.u8(), reader.u64(), reader.u32(), reader.u32(), reader.u64(), reader.u64()];
    const signature = reader.take(64);
    const root = rootOf(ackStatement(cluster, epoch, reference, base), leafIndex, leafCount, reader.path());
    assert.ok(isSigned(rootStatement(cluster, epoch, { witness, run, mark, leafCount }, root), signature, keys[witness]), "an entry is not signed");
    return witness;
  });
  reader.end();
  const faulty = Math.floor((keys.length - 1) / 3);
  assert.ok(new Set(witnesses).size === witnesses.length && witnesses.length >= Math.floor((keys.length + faulty) / 2) + 1, "no quorum");
  return reference;
}

// A body against its statement, as laid out for one chunk or many.
export function bodyRoot(body) {
  const table = body.subarray(0, body.readUInt32LE(0));
  const reader = new Reader(table);
  reader.u32();
  const lengths = Array.from({ length: reader.u32() }, () => {
    const length = reader.u32();
    reader.u32();
    reader.take(8 * reader.u32());
    reader.take(reader.u16());
    return length;
  });
  let at = table.length;
  const leaves = [table, ...lengths.map((length) => body.subarray(at, (at += length)))].map(leafHash);
  const fold = (hashes) => {
    if (hashes.length === 1) return hashes[0];
    let left = 1;
    while (left * 2 < hashes.length) left *= 2;
    return nodeHash(fold(hashes.slice(0, left)), fold(hashes.slice(left)));
  };
  return fold(leaves);
}
