/**
 * Store: words under keys. A Map, since a client may call a key `__proto__`, and of bounded size.
 */
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

const MAX_KEYS = 1_000;

@Injectable()
export class Store extends Map<string, string> {
  override set(key: string, value: string): this {
    if (this.size < MAX_KEYS || this.has(key)) return super.set(key, value);
    throw new RpcException(`no room for more than ${MAX_KEYS} keys`);
  }
}
