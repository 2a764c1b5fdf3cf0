# What the Wi-Fi of a router that runs OpenWrt is set to and has on air, a fact a line; for busybox ash. The other
# scripts here stand behind it. Secrets are hashed here and stay here: a digest is the SHA-256 of SALT and the secret.

salted() {
  hash=$(printf '%s%s' "$SALT" "$1" | sha256sum)
  printf %s "${hash%% *}"
}

#   ap SECTION RADIO on|off ENCRYPTION PMF on|off DIGEST SSID      the second on|off is WPS; DIGEST - where none is needed
#   other SECTION MODE                                            offers no Wi-Fi
#   extra SECTION MAC DIGEST                                      a passphrase beside it; MAC * for everybody
wireless_facts() {
  uci -q -X show wireless | awk -v q="'" '
    function value_of(text) {
      if (substr(text, 1, 1) != q) return text
      text = substr(text, 2, length(text) - 2)
      gsub(q "\\\\" q q, q, text)
      return text
    }
    function either(text, instead) { return text == "" ? instead : text }
    {
      at = index($0, "=")
      if (at == 0 || split(substr($0, 1, at - 1), path, ".") < 2) next
      if (3 in path) of[path[2], path[3]] = value_of(substr($0, at + 1))
      else { type[path[2]] = substr($0, at + 1); names[++count] = path[2] }
    }
    END {
      for (i = 1; i <= count; i++) {
        name = names[i]
        if (type[name] == "wifi-station") {
          mac = of[name, "mac"]
          print "extra", name, (mac == "" || mac == "00:00:00:00:00:00" ? "*" : mac)
        }
        else if (type[name] != "wifi-iface") continue
        else if (either(of[name, "mode"], "ap") != "ap") { print "other", name, of[name, "mode"]; continue }
        else {
          radio = of[name, "device"]
          print "ap", name, either(radio, "-"), (of[name, "disabled"] of[radio, "disabled"] ~ /1/ ? "off" : "on"), \
            either(of[name, "encryption"], "none"), either(of[name, "ieee80211w"], "-"), \
            (of[name, "wps_pushbutton"] of[name, "wps_label"] ~ /1/ ? "on" : "off")
        }
        ssid = of[name, "ssid"]
        gsub(/[\001-\037]/, "", ssid)
        print of[name, "key"]
        print ssid
      }
    }' |
    while read -r fact; do
      [ "${fact%% *}" = other ] && echo "$fact" && continue
      IFS= read -r key
      IFS= read -r ssid
      digest=-
      [ "${fact%% *}$key" = ap ] || digest=$(salted "$key")
      printf '%s\n' "$fact $digest${ssid:+ $ssid}"
    done
}

#   air INTERFACE STATUS STATIONS SSID         the SSID in quotes, as in JSON
air_facts() {
  for object in $(ubus list 'hostapd.*' 2>/dev/null); do
    { ubus call "$object" get_status && ubus call "$object" get_clients; } 2>/dev/null |
      awk -v name="${object#hostapd.}" '
        status == "" && match($0, /"status": *"[A-Z_]+"/) { status = substr($0, RSTART, RLENGTH) }
        ssid == "" && match($0, /"ssid": *"(\\.|[^"\\])*"/) { ssid = substr($0, RSTART, RLENGTH) }
        /"authorized": *true/ { stations++ }
        END {
          gsub(/^"status": *"|"$/, "", status)
          sub(/^"ssid": */, "", ssid)
          print "air", name, (status == "" ? "-" : status), stations + 0, ssid
        }'
  done
}

