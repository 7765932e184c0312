/**
 * The words of the time protocol (docs/PROTOCOL.md): what goes over the wire, and how the log tells it.
 */
import { ENGLISH, enumerate, type LineWords } from '../line-transport/index.js';

/** The languages in which the service speaks to people. */
export type Locale = 'id' | 'en';

const JAM = 'JAM ';

/** The reply to TIME; protocol, so never translated. */
export function jam(timeOfDay: string): string {
  return JAM + timeOfDay;
}

/** The time of day that a reply to TIME tells, `hh:mm:ss`; `undefined` if it tells none. */
export function timeOfDayIn(reply: string): string | undefined {
  return /^JAM ((?:[01]\d|2[0-3])(?::[0-5]\d){2})$/.exec(reply)?.[1];
}

const INDONESIAN: LineWords = {
  unknownCommand: (commands) => `PERINTAH TIDAK DIKENALI. Gunakan ${enumerate(commands, 'atau')}.`,
  lineTooLong: (maxLineBytes) => `BARIS TERLALU PANJANG. Maksimal ${maxLineBytes} byte.`,
  badQuoting: 'TANDA KUTIP TIDAK SEIMBANG.',
  wrongArguments: (usage) => `ARGUMEN SALAH. Gunakan ${usage}.`,
  rejected: (reason) => `GALAT: ${reason}`,
  serverFull: 'SERVER PENUH. Coba lagi nanti.',
  idleTimeout: 'WAKTU TUNGGU HABIS.',
  handlerTimeout: 'JAWABAN TIDAK TEPAT WAKTU.',
  tooManyErrors: 'TERLALU BANYAK KESALAHAN.',
  serverError: 'KESALAHAN SERVER.',
};

/** The words of the error lines. */
export const WORDS: Readonly<Record<Locale, LineWords>> = { id: INDONESIAN, en: ENGLISH };

/** How the log tells a reply to TIME; `undefined` for any other reply. */
export function describeReply(reply: string, locale: Locale): string | undefined {
  if (!reply.startsWith(JAM)) return undefined;
  return `${locale === 'id' ? 'waktu' : 'time'} '${reply.slice(JAM.length)}'`;
}
