/**
 * The chat example: who is told what, and who is not.
 */
import { describe, expect, it } from 'vitest';
import { initExample, startExample } from '../../test/support/example.js';
import { ChatModule } from './chat.module.js';

const hello = (guests: number): string =>
  `HELLO. ${guests} are here. NAME <name>, SAY <text> or QUIT.`;

describe('The chat example', () => {
  it('tells everyone with a name what the others say and do, and nobody else', async () => {
    const { converse } = await initExample(ChatModule);
    const ada = converse().send('NAME ada');
    expect([await ada.next(), await ada.next()]).toEqual([hello(0), 'WELCOME ada']);
    const eve = converse().send('SAY I am eve');
    expect([await eve.next(), await eve.next()]).toEqual([hello(1), 'ERROR: NAME <name> first']);
    const grace = converse().send('NAME grace', 'SAY "hello",  all', 'QUIT');
    expect(await grace.rest()).toEqual([hello(1), 'WELCOME grace', 'TOLD 1']);
    const told = [await ada.next(), await ada.next(), await ada.next()];
    expect(told).toEqual(['* grace is here', 'grace: "hello",  all', '* grace has gone']);
    eve.end();
    expect(await eve.rest()).toEqual([]);
  });

  it.each([
    ['NAME', 'WRONG ARGUMENTS. Use NAME <name>.'],
    ['NAME a b', 'WRONG ARGUMENTS. Use NAME <name>.'],
    ['NAME ""', 'ERROR: a name is 1 to 16 letters or digits'],
    ['NAME "a b"', 'ERROR: a name is 1 to 16 letters or digits'],
    ['NAME ada', 'ERROR: ada is here already'],
    ['HELP', 'UNKNOWN COMMAND. Use NAME, SAY or QUIT.'],
  ])('says what is wrong with %s', async (line, reply) => {
    const { server, converse } = await initExample(ChatModule);
    const ada = converse().send('NAME ada');
    expect([await ada.next(), await ada.next()]).toEqual([hello(0), 'WELCOME ada']);
    expect(await server.inject(line)).toBe(reply);
  });

  it('tells others a text, and nothing that steers their terminals, over sockets', async () => {
    const { connect } = await startExample(ChatModule);
    const [ada, grace] = [await connect(), await connect()];
    ada.send('NAME ada\r\nNAME eve\r\n');
    expect(await ada.lines(3)).toEqual([hello(0), 'WELCOME ada', 'ERROR: you are ada']);
    grace.send('NAME grace\r\nSAY \x1b[2Jboo\r\n');
    await grace.lines(3);
    expect(await ada.lines(2)).toEqual(['* grace is here', 'grace:  [2Jboo']);
    grace.reset();
    expect(await ada.line()).toBe('* grace has gone');
  });
});
