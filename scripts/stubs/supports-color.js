// What chalk asks at its start, which loads node:tty and node:os: dbkit says itself whether there are colours.
export default { stdout: false, stderr: false }
