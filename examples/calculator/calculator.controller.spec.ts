/**
 * The calculator example: what it calculates, and what it tells those whose numbers are none.
 */
import { describe, expect, it } from 'vitest';
import { initExample, startExample } from '../../test/support/example.js';
import { CalculatorModule } from './calculator.module.js';

describe('The calculator example', () => {
  it.each([
    ['ADD 1 2', '3'],
    ['ADD -1.5 "2.25"', '0.75'],
    ['DIV 7 2', '3\nREMAINDER 1'],
    ['DIV -7 2', '-3\nREMAINDER -1'],
    ['SUM 1', '1'],
    ['SUM 1 2 3 4.5', '10.5'],
  ])('answers %s', async (line, reply) => {
    const { server } = await initExample(CalculatorModule);
    expect(await server.inject(line)).toBe(reply);
  });

  it.each([
    ['ADD 1', 'WRONG ARGUMENTS. Use ADD <a> <b>.'],
    ['ADD 1 ""', 'ERROR: Validation failed (numeric string is expected)'],
    ['ADD one 2', 'ERROR: Validation failed (numeric string is expected)'],
    ['ADD 1 2 3', 'WRONG ARGUMENTS. Use ADD <a> <b>.'],
    ['DIV 7 2.5', 'ERROR: Validation failed (numeric string is expected)'],
    ['DIV 7 0', 'ERROR: nothing can be divided by zero'],
    ['SUM', 'ERROR: give at least one number'],
    ['SUM 1 two "" 4', 'ERROR: 1: "two" is no number; 2: "" is no number'],
    ['SUM 1 "2', 'UNBALANCED QUOTES.'],
    ['MUL 1 2', 'UNKNOWN COMMAND. Use ADD, DIV or SUM.'],
  ])('says what is wrong with %s', async (line, reply) => {
    const { server } = await initExample(CalculatorModule);
    expect(await server.inject(line)).toBe(reply);
  });

  it('goes on after an error, over a socket', async () => {
    const { connect, server } = await startExample(CalculatorModule);
    const client = await connect();
    client.end('DIV 1 0\r\nADD 1 2\r\n');
    expect(await client.transcript()).toBe('ERROR: nothing can be divided by zero\r\n3\r\n');
    expect(server.stats()).toMatchObject({ rejected: 1, handlerErrors: 0 });
  });
});
