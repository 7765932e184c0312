/** What the package exports is documented where it is written: an editor shows it to whoever uses it. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const DOORS = [
  'src/index.ts',
  'src/line-transport/index.ts',
  'src/line-transport/testing/index.ts',
];

const doors = DOORS.map((door) => fileURLToPath(new URL(door, ROOT)));
const { compilerOptions } = ts.readConfigFile(
  fileURLToPath(new URL('tsconfig.json', ROOT)),
  (path) => ts.sys.readFile(path),
).config as { compilerOptions: object };
const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, fileURLToPath(ROOT));
const program = ts.createProgram(doors, options);
const checker = program.getTypeChecker();

const isDocumented = (symbol: ts.Symbol): boolean =>
  symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0;

/** The exports of a file, and the public members of its classes and interfaces, by name. */
function surfaceOf(door: string): Map<string, ts.Symbol> {
  const source = program.getSourceFile(door);
  const module = source && checker.getSymbolAtLocation(source);
  const surface = new Map<string, ts.Symbol>();
  for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    surface.set(exported.name, symbol);
    for (const member of membersOf(symbol)) surface.set(`${exported.name}.${member.name}`, member);
  }
  return surface;
}

function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0) return [];
  return checker.getDeclaredTypeOfSymbol(symbol).getProperties().filter(isPublicAndOurs);
}

function isPublicAndOurs(member: ts.Symbol): boolean {
  const [declaration] = member.declarations ?? [];
  if (declaration === undefined) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const name = ts.getNameOfDeclaration(declaration);
  return (
    !declaration.getSourceFile().fileName.includes('node_modules') &&
    (ts.getCombinedModifierFlags(declaration) & hidden) === 0 &&
    !(name !== undefined && ts.isPrivateIdentifier(name))
  );
}

describe('What is exported is documented', () => {
  it.each(doors.map((door, index) => ({ door, name: DOORS[index] })))('by $name', ({ door }) => {
    const surface = surfaceOf(door);
    expect(surface.size).toBeGreaterThan(3);
    const undocumented = [...surface].filter(([, symbol]) => !isDocumented(symbol));
    expect(undocumented.map(([name]) => name)).toEqual([]);
  });
});
