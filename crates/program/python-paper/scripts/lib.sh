# How many plants a group has.
plants() {
    awk -F, -v group="$1" '$1 == group && !seen[$2]++ { n++ } END { print n + 0 }' data/growth.csv
}
