# From `uci -X show wireless` (committed alone) to what hostapd would put on air. For each access point a file named
# like its interface, with its facts one a line; and a line for each section in the status: radio, section, fault.
# `psk`, `sae`: whether further passphrases work with WPA2, WPA3; `named`: with an address alone.
function unquoted(text) {
  text = substr(text, 2, length(text) - 2)
  gsub(/'\\''/, "'", text)
  return text
}
# hostapd: 8 to 63 characters are a passphrase, 64 hexadecimal digits are the key itself.
function is_key(text) { return length(text) >= 8 && length(text) <= 63 || length(text) == 64 && text ~ /^[0-9A-Fa-f]+$/ }
{
  equals = index($0, "="); name = substr($0, 1, equals - 1); value = substr($0, equals + 1)
  parts = split(name, part, ".")
  if (parts == 2) { order[++sections] = part[2]; type[part[2]] = value }
  else option[part[2], part[3]] = unquoted(value)
}
END {
  for (i = 1; i <= sections; i++) if (type[order[i]] == "wifi-device") phy[order[i]] = phys++
  for (i = 1; i <= sections; i++) {
    section = order[i]
    if (type[section] != "wifi-iface") continue
    radio = option[section, "device"]
    if (!(radio in phy) || option[radio, "disabled"] == "1" || option[section, "disabled"] == "1") continue
    fault = "-"
    encryption = option[section, "encryption"]
    if (option[section, "mode"] == "ap") {
      if (option[section, "ssid"] == "" || length(option[section, "ssid"]) > 32) fault = "INVALID_SSID"
      if (encryption ~ /^(psk|sae)/ && !is_key(option[section, "key"])) fault = "INVALID_WPA_PSK"
    } else continue
    print radio, section, fault >> status
    if (fault != "-") continue
    file = air "/phy" phy[radio] "-ap" (points[radio]++ + 0)
    printf "section %s\nradio %s\nssid %s\nencryption %s\nkey %s\n", section, radio, option[section, "ssid"], \
      encryption, option[section, "key"] > file
    for (j = 1; j <= sections; j++) {
      other = order[j]
      if (type[other] != "wifi-station" || !is_key(option[other, "key"])) continue
      if (!(encryption ~ /^sae/ ? sae : psk) || (named && option[other, "mac"] == "")) continue
      ifaces = " " option[other, "iface"] " "
      if (ifaces == "  " || index(ifaces, " " section " ")) {
        mac = option[other, "mac"]
        printf "extra %s %s\n", (mac == "" || mac == "00:00:00:00:00:00" ? "*" : mac), option[other, "key"] > file
      }
    }
    close(file)
  }
}
