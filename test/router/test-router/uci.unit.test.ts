import assert from 'node:assert/strict'
import {
  canRunRouters,
  startTestRouter,
  type TestRouter,
} from '../../support/router/test-router.js'

const WIRELESS = `# a comment
config wifi-device 'radio0'
	option channel "36"

config wifi-iface 'default_radio0'
	option mode ap
	option ssid 'Old plant'
	option key 'a'\\''b'

config wifi-iface
	option mode 'sta'
	list dns '1.1.1.1'
	list dns 'two words'
`

/** What was measured of OpenWrt's own `uci`: given a script, this is what it says and what it leaves. */
interface Fact {
  fact: string
  script: string
  code?: number
  stdout?: string
  stderr?: string | RegExp
  /** What /etc/config/wireless must hold afterwards. */
  file?: RegExp
}

const FACTS: readonly Fact[] = [
  {
    fact: 'get prints a value as it is',
    script: 'uci get wireless.default_radio0.key',
    stdout: "a'b\n",
  },
  {
    fact: 'show quotes values for a shell, and names anonymous sections by their place among all of the type',
    script: 'uci show wireless',
    stdout: `wireless.radio0=wifi-device
wireless.radio0.channel='36'
wireless.default_radio0=wifi-iface
wireless.default_radio0.mode='ap'
wireless.default_radio0.ssid='Old plant'
wireless.default_radio0.key='a'\\''b'
wireless.@wifi-iface[1]=wifi-iface
wireless.@wifi-iface[1].mode='sta'
wireless.@wifi-iface[1].dns='1.1.1.1' 'two words'
`,
  },
  {
    fact: 'anonymous sections have a name made of their place and type as well',
    script: 'uci -X show wireless.@wifi-iface[-1]; uci -q get wireless.cfg033579.mode',
    stdout: `wireless.cfg033579=wifi-iface
wireless.cfg033579.mode='sta'
wireless.cfg033579.dns='1.1.1.1' 'two words'
sta
`,
  },
  {
    fact: 'what is missing has exit code 1',
    script: 'uci get wireless.default_radio0.nothing',
    code: 1,
    stderr: 'uci: Entry not found\n',
  },
  { fact: '-q is silent, with the same code', script: 'uci -q get wireless.nothing', code: 1 },
  {
    fact: 'set refuses a section that is not there',
    script: 'uci set wireless.nothing.ssid=x',
    code: 1,
    stderr: 'uci: Invalid argument\n',
  },
  {
    fact: 'set with the value that is there stages nothing',
    script: "uci set wireless.default_radio0.ssid='Old plant'; uci changes wireless",
  },
  {
    fact: 'set to nothing deletes the option',
    script: 'uci set wireless.default_radio0.ssid=; uci changes; uci commit wireless',
    stdout: '-wireless.default_radio0.ssid\n',
    file: /mode 'ap'\n\toption key/,
  },
  {
    fact: 'changes lists what is staged, quoted, by the name of the section',
    script:
      "uci set wireless.@wifi-iface[1].key='it'\\''s'; uci add_list wireless.default_radio0.dns=9; uci changes",
    stdout: "wireless.cfg033579.key='it'\\''s'\nwireless.default_radio0.dns+='9'\n",
  },
  {
    fact: 'what is staged is not in the file before a commit',
    script: "uci set wireless.default_radio0.ssid='New'; uci get wireless.default_radio0.ssid",
    stdout: 'New\n',
    file: /ssid 'Old plant'/,
  },
  {
    fact: 'commit writes the whole file anew: comments are gone, quotes are uniform',
    script: "uci set wireless.default_radio0.ssid='New'; uci commit wireless; uci changes",
    file: /^\nconfig wifi-device 'radio0'\n\toption channel '36'\n\nconfig wifi-iface 'default_radio0'\n\toption mode 'ap'\n\toption ssid 'New'\n\toption key 'a'\\''b'\n\nconfig wifi-iface\n\toption mode 'sta'\n\tlist dns '1.1.1.1'\n\tlist dns 'two words'\n\n$/,
  },
  {
    fact: 'commit without anything staged leaves the file alone',
    script: 'uci commit',
    file: /^# a comment/,
  },
  {
    fact: 'commit takes what somebody else staged, even from another folder',
    script:
      "uci set wireless.default_radio0.ssid='Theirs'; uci -t /tmp/mine set wireless.radio0.channel=1; uci -t /tmp/mine commit wireless",
    file: /channel '1'[^]*ssid 'Theirs'/,
  },
  {
    fact: '-P disables commit, and says nothing of it',
    script:
      "uci -P /tmp/private set wireless.default_radio0.ssid='New'; uci -P /tmp/private commit wireless",
    file: /^# a comment[^]*Old plant/,
  },
  {
    fact: 'batch exits 0 whatever failed, and still runs a later commit',
    script:
      "printf 'set wireless.nothing.ssid=x\\nset wireless.default_radio0.ssid=Half\\ncommit wireless\\n' | uci batch",
    stderr: 'uci: Invalid argument\n',
    file: /ssid 'Half'/,
  },
  {
    fact: 'a quote that does not end takes the lines after it',
    script:
      'printf "set wireless.default_radio0.ssid=\'x\\ncommit wireless\\n" | uci batch; uci changes',
    stderr: /^uci: Parse error/,
    file: /^# a comment/,
  },
  {
    fact: 'a batch reads words as a shell does',
    script:
      "uci batch <<'EOT'\nset wireless.default_radio0.key='a'\\''\"b $HOME `x` \\ # ; %'\nset wireless.default_radio0.ssid=cut#off\nEOT\nuci get wireless.default_radio0.key; uci get wireless.default_radio0.ssid",
    stdout: 'a\'"b $HOME `x` \\ # ; %\ncut\n',
  },
  {
    fact: 'a newline in a value is stored without complaint',
    script: "uci set wireless.default_radio0.ssid='a\nb' && uci commit wireless",
    file: /ssid 'a\nb'/,
  },
  {
    fact: 'add prints the name of the new section; its delta is an addition',
    script:
      'n=$(uci add wireless wifi-station); echo $n; uci set wireless.$n.key=k; uci commit wireless; tail -3 /etc/config/wireless',
    stdout: "cfg048243\nconfig wifi-station\n\toption key 'k'\n\n",
  },
  {
    fact: 'add to a package that is not there has exit code 3',
    script: 'uci -q add nothing x',
    code: 3,
  },
  {
    fact: 'rename gives an anonymous section a name',
    script:
      'uci rename wireless.@wifi-iface[1]=uplink; uci commit wireless; uci get wireless.uplink.mode',
    stdout: 'sta\n',
    file: /config wifi-iface 'uplink'/,
  },
  {
    fact: 'delete takes options and sections',
    script:
      'uci delete wireless.@wifi-iface[1]; uci delete wireless.default_radio0.mode; uci commit wireless; uci show wireless | grep -c =',
    stdout: '5\n',
  },
  {
    fact: 'revert forgets what is staged: of one option, of everything',
    script:
      'uci set wireless.default_radio0.ssid=a; uci set wireless.default_radio0.key=b; uci revert wireless.default_radio0.ssid; uci changes; uci revert wireless; uci changes',
    stdout: "wireless.default_radio0.key='b'\n",
  },
  {
    fact: 'a command that is none shows the usage, with exit code 255',
    script: 'uci nothing 2>&1 | head -1; uci nothing 2>/dev/null',
    code: 255,
    stdout: 'Usage: uci [<options>] <command> [<arguments>]\n',
  },
  {
    fact: 'a file that cannot be read is an error for everything',
    script: 'echo nonsense >/etc/config/broken; uci show broken; rm /etc/config/broken',
    stderr: /^uci: Parse error \(invalid command\) at line 1, byte 0\n$/,
  },
]

describe("The stand-in for OpenWrt's uci", function () {
  let router: TestRouter

  before(async function () {
    if (!canRunRouters()) return this.skip()
    router = await startTestRouter()
  })
  after(() => router?.stop())

  for (const { fact, script, code = 0, stdout = '', stderr = '', file } of FACTS) {
    it(fact, async () => {
      await router.shell('rm -rf /tmp/.uci /tmp/mine /tmp/private')
      router.writeFlash('etc/config/wireless', WIRELESS)
      const ended = await router.shell(script)
      if (typeof stderr === 'string') assert.equal(ended.stderr, stderr)
      else assert.match(ended.stderr, stderr)
      assert.deepEqual([ended.code, ended.stdout], [code, stdout])
      if (file) assert.match(router.readFlash('etc/config/wireless') ?? '', file)
    })
  }

  it('commits nothing to a full flash, exits 0 and leaves an empty file', async () => {
    router.writeFlash('etc/config/wireless', WIRELESS)
    await router.shell('rm -rf /tmp/.uci; uci set wireless.default_radio0.ssid=New')
    await router.fillFlash()
    try {
      const { code } = await router.shell('uci commit wireless')
      assert.equal(code, 0)
      assert.equal(router.readFlash('etc/config/wireless'), '')
    } finally {
      router.freeFlash()
    }
  })
})
