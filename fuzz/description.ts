/**
 * An input as a person reads it: how the server is set, what the client sends, chunk by chunk, and what it is to be told.
 */
import { told } from './model.js';
import { readScript } from './script.js';

export function describe(input: Buffer): string {
  const script = readScript(input);
  const { setting, reader, chunks, ending } = script;
  const { said, reason } = told(script);
  return [
    `server: ${JSON.stringify(setting)}`,
    `client: ${JSON.stringify(reader)}`,
    ...chunks.map(({ bytes, after }) => `  C: ${shown(bytes.toString('latin1'))}   (${after})`),
    `  C: <${ending}>`,
    ...said
      .split('\n')
      .map((line, index, { length }) => `  S: ${shown(index === length - 1 ? line : `${line}\n`)}`),
    `  S: <${reason}>`,
  ].join('\n');
}

/** Each character is a byte. */
function shown(bytes: string): string {
  const escaped = bytes.replace(/[\\\r\n\0]/g, (special) => ESCAPES[special] ?? special);
  return escaped.replace(
    /[^ -~]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\r': '\\r',
  '\n': '\\n',
  '\0': '\\0',
};
