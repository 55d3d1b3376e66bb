// Stands in for @rushstack/ts-command-line inside the bundle of the command line.
//
// umzug's index always loads its own command line, which extends classes of that package while it is being
// evaluated. dbkit never calls umzug's command line, yet would pay for the parsing of the whole package at each
// start. Empty classes satisfy the `extends` clauses. Whoever does construct one is told why nothing is there.
class NotBundled {
  constructor() {
    throw new Error("umzug's own command line is not part of dbkit's bundle")
  }
}

export class CommandLineAction extends NotBundled {}
export class CommandLineParser extends NotBundled {}
