/** Which room may import what. The linter says so while one writes; this holds also what its patterns cannot say. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);

/** What the product code of a room imports, by file. */
function importsOf(room: string): { file: string; from: string }[] {
  return readdirSync(new URL(room, SRC), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .flatMap((file) => {
      const source = readFileSync(new URL(`${room}/${file}`, SRC), 'utf8');
      return [...source.matchAll(/from '([^']+)'/g)].map(([, from = '']) => ({ file, from }));
    });
}

describe('The line transport', () => {
  it('imports Nest, rxjs, Node and itself, nothing else', () => {
    const allowed = /^(\.\/|node:|rxjs$|@nestjs\/(common|core|microservices)$)/;
    const others = importsOf('line-transport').filter(({ from }) => !allowed.test(from));
    expect(others).toEqual([
      // docs/decisions/0008-direct-dispatch.md
      {
        file: 'direct-dispatch.ts',
        from: '@nestjs/microservices/context/rpc-context-creator.js',
      },
      // docs/decisions/0007-exceptions-reach-the-transport.md
      {
        file: 'filter-outcomes.ts',
        from: '@nestjs/microservices/exceptions/rpc-exceptions-handler.js',
      },
      { file: 'testing/line-conversation.ts', from: '../index.js' },
    ]);
  });

  it.each(['time', 'operations'])('is entered by %s through its door', (room) => {
    const imports = importsOf(room).filter(({ from }) => from.includes('line-transport'));
    expect(imports).not.toEqual([]);
    expect(imports.filter(({ from }) => !from.endsWith('/line-transport/index.js'))).toEqual([]);
  });
});

describe('The time application and operations', () => {
  it('do not know each other', () => {
    expect(importsOf('time').filter(({ from }) => from.includes('operations/'))).toEqual([]);
    expect(importsOf('operations').filter(({ from }) => from.includes('time/'))).toEqual([]);
  });
});
