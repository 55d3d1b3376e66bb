// Stands in for kysely-codegen's parser of types, which needs the whole of TypeScript to find the names in them.
import { RawExpressionNode } from 'kysely-codegen/dist/generator/ast/raw-expression-node.js'

export const typeExpressionParser = {
  parse: (text) => new RawExpressionNode(text),
  /** Words outside quotes; what is defined nowhere is not looked for further. */
  extractTypeIdentifiers: (text) => [
    ...new Set(
      text.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, ' ').match(/[A-Za-z_$][\w$.]*/g) ?? [],
    ),
  ],
}
