/**
 * The reply to TIME of the servers that are no Nest application, formatted once a second.
 */
const pad = (number: number): string => String(number).padStart(2, '0');

let second = Number.NaN;
let jam = '';

export function jamNow(): string {
  const now = Date.now();
  const nowSecond = Math.floor(now / 1000);
  if (nowSecond !== second) {
    second = nowSecond;
    const date = new Date(now);
    jam = `JAM ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}\r\n`;
  }
  return jam;
}
