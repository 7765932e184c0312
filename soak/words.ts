/**
 * What the service is asked and what it says, as docs/PROTOCOL.md has it: written down here again, so that the soak would notice
 * if the service changed them.
 */
export const TIME = 'TIME\n';
export const QUIT = 'QUIT\n';
export const UNKNOWN_REPLY = 'PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.\r\n';
export const TOO_LONG_REPLY = 'BARIS TERLALU PANJANG. Maksimal 1024 byte.\r\n';
export const TOO_LATE_REPLY = 'WAKTU TUNGGU HABIS.\r\n';
export const FULL_REPLY = 'SERVER PENUH. Coba lagi nanti.\r\n';
/** The digits are in the place of `0`. */
export const TIME_REPLY = 'JAM 00:00:00\r\n';
export const TIME_REPLY_FORM = /^JAM ([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\r\n$/;
