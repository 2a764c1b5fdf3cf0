import { Flags } from '@oclif/core'
import { addRouter, type AddedRouter } from '../../lib/router/add.js'
import { readRouterFlags } from '../../lib/router/asked.js'
import { ROUTER_DRIVERS } from '../../lib/router/types.js'
import { installationArg } from '../../lib/terminal/arguments.js'
import { BaseCommand } from '../../lib/terminal/base-command.js'
import { hostKeyFlags, passwordFileFlag } from '../../lib/terminal/flags.js'

export default class RouterAdd extends BaseCommand<AddedRouter> {
  static override summary = "record an installation's router and the credential that opens it"
  static override description =
    'The credential is seen to open the router before it is stored, sealed by the keyring. The host ' +
    'key is pinned: give its fingerprint, or say in a terminal that the one shown is right. ' +
    '~/.ssh/config fills port, user, identity file and jump hosts where no flag does, and what it says is ' +
    'recorded. Jump hosts are entered with the key of CLEVERCTL_SSH_IDENTITY, else by your ssh-agent. ' +
    'The same again changes nothing; with --replace another address or credential takes the place of ' +
    'the recorded one.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> solar-0042 --driver openwrt --address 10.8.0.42 --password-file password.txt --host-key SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E',
    '<%= config.bin %> <%= command.id %> solar-0042 --driver rutos --address plant-42 --identity ~/.ssh/fleet --jump admin@bastion.example.com=SHA256:jM8t7hYd0cC1s5q1V2sBq0y6c7bHn3S9b6kq2J0mX1E',
    '<%= config.bin %> <%= command.id %> solar-0042 --driver openwrt --address 10.8.0.42 --password-file password.txt --ssid CLV-000042 --wifi-password-file wifi.txt',
  ]

  static override args = installationArg

  static override flags = {
    driver: Flags.option({ options: ROUTER_DRIVERS, required: true })({
      description: 'what runs on the router',
    }),
    address: Flags.string({
      description: 'host name, IP address, or a name that ~/.ssh/config knows',
      required: true,
    }),
    port: Flags.integer({ description: 'port of SSH [default: 22]', min: 1, max: 65_535 }),
    username: Flags.string({ description: 'who logs in [default: root]', helpValue: 'NAME' }),
    ...passwordFileFlag,
    identity: Flags.string({
      description: 'private key that opens the router, readable by you alone; a copy is sealed',
      helpValue: 'FILE',
    }),
    'passphrase-file': Flags.string({
      description:
        "file with the private key's passphrase; - reads stdin (asked for in a terminal)",
      helpValue: 'FILE|-',
    }),
    agent: Flags.boolean({
      description: 'your ssh-agent opens the router; no credential is stored',
      exclusive: ['identity', 'password-file'],
    }),
    ...hostKeyFlags,
    jump: Flags.string({
      description: 'a host on the way, first to last: [USER@]HOST[:PORT][=SHA256:…]',
      helpValue: 'HOST',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'ssh-config': Flags.string({
      description: 'read this file instead of ~/.ssh/config',
      helpValue: 'FILE',
    }),
    ssid: Flags.string({
      description: "name of the router's Wi-Fi",
      dependsOn: ['wifi-password-file'],
    }),
    'wifi-password-file': Flags.string({
      description: "file with the Wi-Fi's passphrase, readable by you alone",
      helpValue: 'FILE',
      dependsOn: ['ssid'],
    }),
    replace: Flags.boolean({ description: 'replace what is recorded already' }),
  }

  protected async execute(): Promise<AddedRouter> {
    const { args, flags } = await this.parse(RouterAdd)
    const secret = (flagName: string, file: string | undefined, question: string) =>
      this.secretInput(flags, { file, flagName, question })
    const asked = await readRouterFlags(args.installation, flags, {
      password: () => secret('password-file', flags['password-file'], 'Password of the router'),
      passphrase: () => secret('passphrase-file', flags['passphrase-file'], 'Its passphrase'),
    })
    return addRouter(await this.changingWorkspace(flags), asked, this.ways(flags))
  }

  protected render(result: AddedRouter): void {
    this.screen.facts([
      ['installation', result.installation],
      ['outcome', result.outcome],
      ['driver', result.driver],
      ['address', `${result.username}@${result.address} port ${result.port}`],
      ['host key', `${result.hostKey.type} ${result.hostKey.fingerprint}`],
      ['login seen to work', result.verified ? 'yes' : 'no'],
      ['routers with the same secret', String(result.sharedWith)],
    ])
  }
}
