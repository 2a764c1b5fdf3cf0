import { Args } from '@oclif/core'

// No argument is read from stdin, which belongs to loops and to secrets.

/** Who is meant, in a list of people. */
export const emailArg = {
  email: Args.string({ description: 'e-mail address', required: true, ignoreStdin: true }),
}

/** Which installation. */
export const installationArg = {
  installation: Args.string({
    description: 'code of the installation',
    required: true,
    ignoreStdin: true,
  }),
}

/** Which installations, one at least; for commands that take more than their `args` say. */
export const installationsArg = {
  installation: Args.string({
    description: 'code of an installation; more may follow',
    required: true,
    ignoreStdin: true,
  }),
}

/** The same for commands that can choose installations by flags. */
export const anyInstallationsArg = {
  installation: Args.string({
    description: 'code of an installation; more may follow',
    ignoreStdin: true,
  }),
}

/** Which device. */
export const serialArg = {
  serial: Args.string({ description: 'serial of the device', required: true, ignoreStdin: true }),
}

/** Which devices, one at least; for commands that take more than their `args` say. */
export const serialsArg = {
  serial: Args.string({
    description: 'serial of a device; more may follow',
    required: true,
    ignoreStdin: true,
  }),
}

/** Which host. */
export const hostArg = {
  name: Args.string({ description: 'name of the host', required: true, ignoreStdin: true }),
}

/** Which service account. */
export const serviceAccountArg = {
  name: Args.string({
    description: 'name of the service account',
    required: true,
    ignoreStdin: true,
  }),
}

/** Which request for access. */
export const requestArg = {
  number: Args.string({
    description: 'number of the request, from access grants',
    required: true,
    ignoreStdin: true,
  }),
}

/** What an import reads. */
export const importedFileArg = {
  file: Args.string({
    description: 'CSV or NDJSON file, - for stdin',
    required: true,
    ignoreStdin: true,
  }),
}
