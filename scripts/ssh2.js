// What the sources use of ssh2, taken from the parts that hold it: the package's own entry also loads a
// server and agents for HTTP.
import Client from 'ssh2/lib/client.js'
import { parseKey } from 'ssh2/lib/protocol/keyParser.js'

export default { Client, utils: { parseKey } }
