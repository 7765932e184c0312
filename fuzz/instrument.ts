/**
 * Puts a call at the begin of every block, branch and operand of a module that may or may not be come to. Lines stay where they
 * are. Knows nothing of what the calls do.
 */
import ts from 'typescript';
import { HIT } from './coverage.js';

/** What is not always come to, although what is around it is. */
const SHORT_CIRCUITS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);

/** @param name of the module; with the same name, the same places have the same numbers */
export function instrument(name: string, source: string): string {
  const module = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const insertions = new Insertions(name);
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node)) insertions.add(node.getStart() + 1);
    else if (ts.isCaseOrDefaultClause(node)) insertions.add(node.statements.pos);
    else if (ts.isIfStatement(node)) {
      insertions.wrapStatement(node.thenStatement);
      if (node.elseStatement !== undefined) insertions.wrapStatement(node.elseStatement);
    } else if (ts.isIterationStatement(node, false)) {
      insertions.wrapStatement(node.statement);
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      insertions.wrap(node.body, '(', ',', ')');
    } else if (ts.isConditionalExpression(node)) {
      insertions.wrap(node.whenTrue, '(', ',', ')');
      insertions.wrap(node.whenFalse, '(', ',', ')');
    } else if (ts.isBinaryExpression(node) && SHORT_CIRCUITS.has(node.operatorToken.kind)) {
      insertions.wrap(node.right, '(', ',', ')');
    }
    ts.forEachChild(node, visit);
  };
  visit(module);
  return insertions.into(source);
}

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Among those at the same place: what is opened comes outermost first, behind what is closed, innermost first. */
  readonly order: number;
}

class Insertions {
  readonly #made: Insertion[] = [];
  #place: number;

  constructor(name: string) {
    this.#place = hashOf(name);
  }

  add(at: number, before = '', after = ';'): void {
    this.#place = hashOf(String(this.#place));
    const text = `${before}${HIT}(${this.#place})${after}`;
    this.#made.push({ at, text, order: this.#made.length });
  }

  wrapStatement(statement: ts.Statement): void {
    if (!ts.isBlock(statement)) this.wrap(statement, '{', ';', '}');
  }

  wrap(node: ts.Node, before: string, after: string, end: string): void {
    this.add(node.getStart(), before, after);
    this.#made.push({ at: node.end, text: end, order: -this.#made.length });
  }

  into(source: string): string {
    let instrumented = '';
    let from = 0;
    for (const { at, text } of this.#made.toSorted(byPlace)) {
      instrumented += source.slice(from, at) + text;
      from = at;
    }
    return instrumented + source.slice(from);
  }
}

function byPlace(one: Insertion, other: Insertion): number {
  return one.at - other.at || one.order - other.order;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
