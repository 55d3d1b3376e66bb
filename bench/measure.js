// One process, measured exactly: CPU to the microsecond, wall clock, and the largest memory it held.
//
// Node tells only of itself, GNU time in ticks of 10 ms, bash nothing of memory. wait4(2) knows it all, and the Perl that every Debian
// and Ubuntu has can call it. Perl also starts the process: one that Node starts inherits Node's own 40 MB as its largest memory.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { arch } from 'node:os'

const WAIT4 = { x64: 61, arm64: 260 }[arch()]

const perl = String.raw`
use Time::HiRes 'time';
my ($wait4, @command) = @ARGV;
open(my $report, '>&=3') or die $!;
my $started = time;
my $pid = fork // die $!;
if ($pid == 0) { close $report; exec { $command[0] } @command; print STDERR "$command[0]: $!\n"; exit 127 }
my ($status, $usage) = (pack('i', 0), "\0" x 144);
syscall($wait4 + 0, $pid + 0, $status, 0, $usage) == $pid or die "wait4: $!";
my ($user, $userMicros, $system, $systemMicros, $kilobytes) = unpack('l!5', $usage);
printf $report '{"status":%d,"wallMs":%.3f,"cpuMs":%.3f,"rssMb":%.1f}', unpack('i', $status), (time - $started) * 1000,
  ($user + $system) * 1000 + ($userMicros + $systemMicros) / 1000, $kilobytes / 1024;
`

/**
 * Runs a command to its end. Its output goes to a file, as in CI, and comes back as text; an exit code that was not expected is an error,
 * because a tool that fails is fast.
 */
export async function measure({ argv, cwd, env, exit = 0 }, outputFile) {
  if (WAIT4 === undefined) throw new Error(`The number of wait4 on ${arch()} is not known here.`)
  const output = openSync(outputFile, 'w')
  const child = spawn('perl', ['-e', perl, String(WAIT4), ...argv], {
    cwd,
    env,
    stdio: ['ignore', output, output, 'pipe'],
  })
  let report = ''
  child.stdio[3].setEncoding('utf8').on('data', (text) => (report += text))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  closeSync(output)
  const text = readFileSync(outputFile, 'utf8')
  if (code !== 0 || report === '') throw new Error(`perl could not measure ${argv.join(' ')}:\n${text}`)
  const { status, ...figures } = JSON.parse(report)
  if (status !== exit << 8)
    throw new Error(
      `${argv.join(' ')} ended with status ${status} instead of ${exit << 8}:\n${text.slice(-2000)}`,
    )
  return { ...figures, output: text }
}
