/**
 * Memory of one's own, for what is kept: Node makes small buffers of a larger one that they share, 8 to 64 KiB, and who keeps one of
 * them keeps all of it. Pure.
 */

/** A copy of these bytes, one part behind the other, that holds no more memory than they. */
export function copyOf(...parts: readonly Uint8Array[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    copy.set(part, end);
    end += part.length;
  }
  return copy;
}
