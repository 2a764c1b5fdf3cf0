import assert from 'node:assert/strict'
import { quoted } from '../../../src/lib/router/drivers/routeros/console.js'
import { RosConsole } from '../../support/routeros/console.js'
import type { Flavour } from '../../support/routeros/menus.js'

/**
 * What is known of RouterOS and taken as given by the driver, where from, a line that shows it and what the console
 * answers. Nothing here was seen on RouterOS.
 */
const DOCS = 'https://help.mikrotik.com/docs/spaces/ROS/pages'
const FACTS: {
  fact: string
  from: string
  flavour?: Flavour
  lines: string[]
  answer: string
}[] = [
  {
    fact: 'a text is printed as it is, with what is escaped',
    from: `${DOCS}/47579229/Scripting`,
    lines: [`:put ${quoted('a "b" \\ $c ? é')}`],
    answer: 'a "b" \\ $c ? é\r\n',
  },
  {
    fact: 'a dollar that is not escaped is a variable',
    from: `${DOCS}/47579229/Scripting`,
    lines: [':local x "1";:put "a$x"'],
    answer: 'a1\r\n',
  },
  {
    fact: 'a line with a menu that is not there does nothing at all, and on-error does not catch it',
    from: `${DOCS}/47579229/Scripting (a script is parsed before it runs)`,
    flavour: '6.49',
    lines: [':put "before";:do {/interface wifi set 0 name=x} on-error={:put "caught"}'],
    answer: 'bad command name wifi (line 1 column 31)\r\n',
  },
  {
    fact: 'an error ends the line, unless on-error catches it',
    from: `${DOCS}/47579229/Scripting`,
    lines: [':do {:error "x"} on-error={:put "caught"};:error "stop";:put "never"'],
    answer: 'caught\r\nstop\r\n',
  },
  {
    fact: 'setting what is found nowhere sets nothing and is no error',
    from: `${DOCS}/47579229/Scripting`,
    lines: ['/system scheduler set [find name="none"] comment="x";:put "on"'],
    answer: 'on\r\n',
  },
  {
    fact: 'getting what is found nowhere is an error',
    from: `${DOCS}/47579229/Scripting`,
    lines: [':put [/system scheduler get [find name="none"] comment]'],
    answer: 'no such item\r\n',
  },
  {
    fact: 'two items of the scheduler have two names',
    from: `${DOCS}/40992881/Scheduler`,
    lines: ['/system scheduler add name=a', '/system scheduler add name=a'],
    answer: 'failure: already have such name\r\n',
  },
  {
    fact: 'printing shows no passphrase, getting does',
    from: `${DOCS}/224559120/WiFi (passphrase is sensitive)`,
    lines: [
      '/interface wifi security add name=p passphrase="old-passphrase-1"',
      ':foreach a in=[/interface wifi security print as-value] do={:put ("p" . [:tostr ($a->"passphrase")])}',
      ':put [/interface wifi security get [find name=p] passphrase]',
    ],
    answer: 'p\r\nold-passphrase-1\r\n',
  },
  {
    fact: 'further passphrases are there from 7.17 on',
    from: `${DOCS}/224559120/WiFi (multi-passphrase)`,
    flavour: '7.16 wifi',
    lines: [':put [:len [/interface wifi security multi-passphrase find]]'],
    answer: 'bad command name multi-passphrase (line 1 column 38)\r\n',
  },
  {
    fact: 'a password of a user is shown to nobody',
    from: `${DOCS}/8978504/User`,
    lines: ['/user add name=u password=secret', ':put [/user get [find name=u] password]'],
    answer: 'not enough permissions (9)\r\n',
  },
]

describe('the recorded console of RouterOS', () => {
  const made: RosConsole[] = []
  const start = (flavour: Flavour = '7.20 wifi', speed = 100) => {
    const console = new RosConsole(flavour, speed)
    made.push(console)
    return console
  }
  afterEach(() => {
    for (const console of made.splice(0)) console.off()
  })

  for (const { fact, from, flavour, lines, answer } of FACTS)
    it(`${fact} (${from})`, async () => {
      const console = start(flavour)
      let said = ''
      for (const line of lines) said += (await console.execute(line)) ?? ''
      assert.equal(said, answer)
    })

  it(`runs at a start what has no interval, and nothing else then (${DOCS}/40992881/Scheduler)`, async () => {
    const console = start()
    for (const [name, interval] of [
      ['once', '0s'],
      ['often', '60s'],
    ])
      await console.execute(
        `/system scheduler add name=${name} start-time=startup interval=${interval} on-event="/system identity set name=${name}"`,
      )
    const name = () => console.items('/system identity')[0]?.get('name')
    assert.equal(name(), undefined, 'not when it is added')
    console.reboot()
    await console.execute(':delay 5s')
    assert.equal(name(), 'once')
    await console.execute(':delay 70s')
    assert.equal(name(), 'often', 'the other one by the clock')
  })

  it('loses what runs when the power goes, and keeps what is set', async () => {
    const console = start()
    const running = console.execute(
      '/system identity set name=first;:delay 10s;/system identity set name=second',
    )
    while (console.items('/system identity')[0]?.get('name') !== 'first')
      await new Promise((resolve) => setImmediate(resolve))
    console.reboot()
    assert.equal(await running, undefined)
    assert.equal(console.items('/system identity')[0]?.get('name'), 'first')
  })
})
