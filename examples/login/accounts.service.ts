/**
 * Accounts: who may log in. It knows no password, only what scrypt makes of one.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';

const derive = promisify<string, string, number, Buffer>(scrypt);
/** Her password is lovelace. */
const ADA = { salt: 'dd1c1c2a4b7e', key: Buffer.from('kiLnbn2BihcGYpD7VU5WrA==', 'base64') };
/** A wrong name takes as long as a wrong password, and so tells nobody which names there are. */
const NOBODY = { salt: 'b1946ac92492', key: randomBytes(16) };

@Injectable()
export class Accounts {
  readonly #accounts = new Map([['ada', ADA]]);

  async allow(name: string, password: string): Promise<boolean> {
    const { salt, key } = this.#accounts.get(name) ?? NOBODY;
    return timingSafeEqual(key, await derive(password, salt, key.length));
  }
}
