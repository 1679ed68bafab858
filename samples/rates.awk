# Makes samples/rates.log, the same each time:  awk -f samples/rates.awk > samples/rates.log
# 12,000 quotes of a morning: time, pair, bid, ask, size, venue, running number.
function chance(limit) { state = (state * 16807) % 2147483647; return state % limit }
BEGIN {
  state = 20260302
  pairs = split("EURUSD GBPUSD USDJPY USDCHF AUDUSD EURGBP EURCHF NZDUSD", pair, " ")
  split("108412 126731 14987400 88140 65120 85544 95671 60233", price, " ")
  venues = split("FRA LDN NYC SGP TYO", venue, " ")
  time = 8 * 3600000
  for (n = 1; n <= 12000; n++) {
    time += 1 + chance(1800)
    p = 1 + chance(pairs)
    price[p] += chance(11) - 5
    scale = price[p] > 1000000 ? 3 : 5
    bid = price[p] / 100000
    ask = bid + (1 + chance(9)) / (scale == 3 ? 1000 : 100000)
    printf "2026-03-02T%02d:%02d:%02d.%03dZ %s bid=%.*f ask=%.*f size=%d00000 venue=%s quote=%05d\n",
      time / 3600000, time / 60000 % 60, time / 1000 % 60, time % 1000, pair[p], scale, bid, scale, ask, 5 * (1 + chance(20)), venue[1 + chance(venues)], n
  }
}
