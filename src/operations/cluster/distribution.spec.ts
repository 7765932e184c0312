import { describe, expect, it } from 'vitest';
import { Distribution, type Taker } from './distribution.js';

interface Client {
  readonly name: string;
}

/** A taker that takes a client when the test says so. */
class TestTaker implements Taker<Client> {
  readonly given: string[] = [];
  hasRoom = true;
  answer: (isTaken: boolean) => void = () => undefined;

  constructor(private readonly isSlow = false) {}

  take({ name }: Client): Promise<boolean> {
    this.given.push(name);
    return new Promise((resolve) => {
      this.answer = resolve;
      if (!this.isSlow) resolve(true);
    });
  }
}

function distribution(...takers: TestTaker[]): {
  clients: Distribution<Client>;
  taken: string[];
  give: (...names: string[]) => Promise<void>;
} {
  const taken: string[] = [];
  const clients = new Distribution<Client>(({ name }) => taken.push(name));
  for (const taker of takers) clients.add(taker);
  const give = async (...names: string[]): Promise<void> => {
    for (const name of names) clients.give({ name });
    await new Promise(setImmediate);
  };
  return { clients, taken, give };
}

describe('Clients', () => {
  it('are given to one after the other in turn', async () => {
    const [one, other] = [new TestTaker(), new TestTaker()];
    const { give, taken } = distribution(one, other);
    await give('a', 'b', 'c', 'd', 'e');
    expect([one.given, other.given]).toEqual([
      ['a', 'c', 'e'],
      ['b', 'd'],
    ]);
    expect(taken.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('wait while nobody is there, and come in their order', async () => {
    const { clients, give, taken } = distribution();
    await give('a', 'b', 'c');
    expect(taken).toEqual([]);
    const late = new TestTaker();
    clients.add(late);
    await clients.settle();
    expect(late.given).toEqual(['a', 'b', 'c']);
    expect(taken).toEqual(['a', 'b', 'c']);
  });

  it('are not given to one who has not taken the last one', async () => {
    const [hung, quick] = [new TestTaker(true), new TestTaker()];
    const { give } = distribution(hung, quick);
    await give('a', 'b', 'c', 'd');
    expect([hung.given, quick.given]).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('are given to another one before all others when theirs is gone before it took them', async () => {
    const [doomed, other] = [new TestTaker(true), new TestTaker(true)];
    const { give, taken } = distribution(doomed, other);
    await give('a', 'b', 'c');
    doomed.answer(false);
    await give();
    other.answer(true);
    await give();
    expect(other.given).toEqual(['b', 'a']);
    other.answer(true);
    await give('d');
    expect(doomed.given).toEqual(['a']);
    expect(other.given).toEqual(['b', 'a', 'c']);
    expect(taken).toEqual(['b', 'a']);
  });

  it('are not given to one who is full while another has room, also when that one is busy', async () => {
    const [full, busy] = [new TestTaker(), new TestTaker(true)];
    full.hasRoom = false;
    const { give } = distribution(full, busy);
    await give('a', 'b');
    expect([full.given, busy.given]).toEqual([[], ['a']]);
    busy.answer(true);
    await give();
    expect(busy.given).toEqual(['a', 'b']);
  });

  it('are given to someone when all are full: whoever it is tells them so', async () => {
    const full = new TestTaker();
    full.hasRoom = false;
    const { give } = distribution(full);
    await give('a');
    expect(full.given).toEqual(['a']);
  });
});

describe('Who is removed', () => {
  it('is given no more, and the removal waits for what it was being given', async () => {
    const leaving = new TestTaker(true);
    const { clients, give, taken } = distribution(leaving);
    await give('a', 'b');
    let isRemoved = false;
    const removal = clients.remove(leaving).then(() => (isRemoved = true));
    await give();
    expect(isRemoved).toBe(false);
    leaving.answer(true);
    await removal;
    expect(leaving.given).toEqual(['a']);
    expect(taken).toEqual(['a']);
  });
});
