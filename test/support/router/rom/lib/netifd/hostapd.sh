# In place of the script that writes what hostapd reads. Which functions it has tells which sections `wifi-station` work:
# hostapd_set_psk for WPA2 (OpenWrt from 21.02 on), hostapd_set_sae for WPA3 (from 24.10 on).
hostapd_set_psk() { :; }
