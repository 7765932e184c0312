/**
 * KeyValueController: the commands. A reply is one line: `+` a word, `*` words, `:` a number, `$-1` nothing, `-ERR` an error.
 */
import { Controller } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { Arg, Args, Command, type LineReply, quoteWord } from '../../src/line-transport/index.js';
import { Store } from './store.service.js';

@Controller()
export class KeyValueController {
  constructor(private readonly store: Store) {}

  @Command('SET', { args: ['key', 'value'] })
  set(@Arg('key') key: string, @Arg('value') value: string): LineReply {
    this.store.set(key, value);
    return '+OK';
  }

  @Command('GET', { args: ['key'] })
  get(@Arg('key') key: string): LineReply {
    const value = this.store.get(key);
    return value === undefined ? '$-1' : `+${quoteWord(value)}`;
  }

  @Command('DEL', { args: 'words' })
  delete(@Args() keys: string[]): LineReply {
    return `:${keys.filter((key) => this.store.delete(key)).length}`;
  }

  @Command('INCR', { args: ['key'] })
  increment(@Arg('key') key: string): LineReply {
    const value = this.store.get(key) ?? '0';
    const number = Number(value) + 1;
    if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(number))
      throw new RpcException('the value is no whole number');
    this.store.set(key, String(number));
    return `:${number}`;
  }

  @Command('KEYS')
  keys(): LineReply {
    return `*${[...this.store.keys()].map(quoteWord).join(' ')}`;
  }
}
