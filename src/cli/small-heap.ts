import { setFlagsFromString } from 'node:v8'

/** V8 of later versions may not know the flag, and would say so on stderr. */
const LATEST_KNOWN = 24

/**
 * For a command that makes much garbage and keeps nothing: the part of the heap for new objects stays as large as it is, where V8 would
 * enlarge it to two times 16 MB. It takes no longer, and 20 MB less. Only the command line decides so; a program may have other plans for its
 * heap.
 */
export function keepHeapSmall(): void {
  if (Number.parseInt(process.versions.node, 10) <= LATEST_KNOWN)
    setFlagsFromString('--semi-space-growth-factor=1')
}
