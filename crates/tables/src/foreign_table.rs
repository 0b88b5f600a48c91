//! A table that another program or a person wrote, CSV or Parquet: names of columns, and the cells of the
//! one that is asked for.
//!
//! Blanks around a column's name are no part of it: nobody sees them, and no pattern meets them. Does not
//! know what columns are for, nor the file's name.

use crate::cells::{Cells, Unfit};
use crate::csv;
use crate::foreign_parquet::ForeignParquet;
use crate::table::Table;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// An opened table.
pub struct ForeignTable {
    names: Vec<String>,
    rows: usize,
    content: Content,
}

enum Content {
    /// Each column as it is written.
    Csv(Vec<Cells>),
    Parquet(Box<ForeignParquet>),
}

/// First bytes of files that are taken for tables, and what they are.
const OTHERS: [(&[u8], &str); 6] = [
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\x1F\x8B", "packed with gzip"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"\xFF\xFE", "text in UTF-16"),
    (b"\xFE\xFF", "text in UTF-16"),
];

/// Some programs mark UTF-8 so.
const MARK: &[u8] = b"\xEF\xBB\xBF";

impl ForeignTable {
    /// Opens a table with rows, Parquet if it starts as such and CSV otherwise.
    ///
    /// # Errors
    /// What is neither, has no header or no rows, rows that are longer or shorter than the header, and two
    /// columns of one name.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        match ForeignTable::open(bytes)? {
            table if table.rows == 0 => Err("it has no rows".into()),
            table => Ok(table),
        }
    }

    /// Opens a table that may have no rows.
    ///
    /// # Errors
    /// As [`ForeignTable::read`].
    pub fn open(bytes: Vec<u8>) -> Result<Self, String> {
        if let Some((_, what)) = OTHERS.iter().find(|(start, _)| bytes.starts_with(start)) {
            return Err(format!("it is {what}: CSV in UTF-8 or Parquet is read"));
        }
        let table = match bytes.starts_with(b"PAR1") {
            true => parquet(ForeignParquet::open(bytes)?),
            false => csv(bytes.strip_prefix(MARK).unwrap_or(&bytes))?,
        };
        let mut seen = BTreeSet::new();
        // Columns without a name, as a comma at the end of each line makes, cannot be meant.
        let named = table.names.iter().filter(|name| !name.is_empty());
        for name in named {
            if !seen.insert(name) {
                return Err(format!("it has two columns `{name}`"));
            }
        }
        Ok(table)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns' names, without blanks around them; one may be empty.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the file says of which type each column is.
    pub fn states_types(&self) -> bool {
        matches!(self.content, Content::Parquet(_))
    }

    /// The cells of a column, by its place.
    ///
    /// # Errors
    /// A type of a Parquet column that cannot be used, and damage.
    pub fn cells(&self, column: usize) -> Result<Cow<'_, Cells>, Unfit> {
        match &self.content {
            Content::Csv(columns) => Ok(Cow::Borrowed(&columns[column])),
            Content::Parquet(file) => file.cells(column).map(Cow::Owned).map_err(Unfit::column),
        }
    }
}

impl ForeignTable {
    /// All columns that can be read, as a table of ours, and the others with their types. For a file that
    /// states types: nothing else says what its cells are.
    ///
    /// # Errors
    /// Damage, with the column's name.
    pub fn to_table(&self) -> Result<(Table, BTreeMap<String, String>), String> {
        let (mut columns, mut unread) = (Vec::new(), BTreeMap::new());
        for (at, name) in self.names.iter().enumerate() {
            if let Some(kind) = self.unreadable_type(at) {
                unread.insert(name.clone(), kind);
                continue;
            }
            let cells = self.cells(at);
            let cells = cells.map_err(|unfit| format!("column `{name}`: {}", unfit.message))?;
            columns.push((name.as_str(), cells.to_column()));
        }
        let table = Table::new(columns).map_err(|e| e.to_string())?;
        Ok((table, unread))
    }

    fn unreadable_type(&self, column: usize) -> Option<String> {
        match &self.content {
            Content::Csv(_) => None,
            Content::Parquet(file) => file.unreadable_type(column),
        }
    }
}

fn parquet(file: ForeignParquet) -> ForeignTable {
    ForeignTable {
        names: file.names().map(|name| name.trim().to_owned()).collect(),
        rows: file.rows(),
        content: Content::Parquet(Box::new(file)),
    }
}

fn csv(bytes: &[u8]) -> Result<ForeignTable, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()]
            .split(|&byte| byte == b'\n')
            .count();
        format!("line {line} of the CSV is not UTF-8")
    })?;
    let mut records = csv::records(text)?;
    // What an editor leaves behind the last row is none.
    while records.last().is_some_and(|record| is_blank(record)) {
        records.pop();
    }
    let mut records = records.into_iter();
    let header = records.next().ok_or("it is empty")?;
    if is_blank(&header) {
        return Err("its first line is blank: the names of the columns belong there".into());
    }
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
    let mut rows = 0;
    for record in records {
        rows += 1;
        if record.len() != header.len() {
            let (found, wanted) = (record.len(), header.len());
            return Err(match is_blank(&record) {
                true => format!("row {rows} is a blank line"),
                false => format!("row {rows} has {found} fields, the header has {wanted}"),
            });
        }
        for (column, field) in columns.iter_mut().zip(record) {
            column.push((!field.is_empty()).then_some(field));
        }
    }
    Ok(ForeignTable {
        names: header.iter().map(|name| name.trim().to_owned()).collect(),
        rows,
        content: Content::Csv(columns.into_iter().map(Cells::Text).collect()),
    })
}

fn is_blank(record: &[String]) -> bool {
    matches!(record, [field] if field.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ForeignTable, String> {
        ForeignTable::read(text.as_bytes().to_vec())
    }

    fn wrong(text: &str) -> String {
        read(text).err().expect("it is refused")
    }

    fn names(table: &ForeignTable, column: usize) -> Vec<String> {
        let cells = table.cells(column).expect("cells");
        let names = cells.names().into_iter();
        names
            .map(|name| name.unwrap_or_default().into_owned())
            .collect()
    }

    #[test]
    fn names_lose_their_blanks_and_cells_keep_theirs() {
        let table = read("\u{feff}a ,\t b,\"c\nd\"\r\n 1,x ,\"y, \"\"z\"\"\"\r\n\r\n \n").unwrap();
        assert_eq!(table.names(), ["a", "b", "c\nd"]);
        assert_eq!(table.rows(), 1);
        assert_eq!(
            [names(&table, 0), names(&table, 1), names(&table, 2)].concat(),
            [" 1", "x ", "y, \"z\""]
        );
    }

    #[test]
    fn what_is_no_table_is_said() {
        assert_eq!(wrong(""), "it is empty");
        assert_eq!(wrong("\u{feff}\n \n"), "it is empty");
        assert_eq!(wrong("a,b\n"), "it has no rows");
        assert!(wrong("\na\n1\n").contains("first line is blank"));
        assert_eq!(
            wrong("a,b\n1,2\n1\n"),
            "row 2 has 1 fields, the header has 2"
        );
        assert_eq!(wrong("a,b\n1,2\n\n3,4\n"), "row 2 is a blank line");
        assert_eq!(wrong("a,a \n1,2\n"), "it has two columns `a`");
        let bytes = |bytes: &[u8]| ForeignTable::read(bytes.to_vec()).err().expect("refused");
        assert_eq!(bytes(b"a\n1\n\xFF\n"), "line 3 of the CSV is not UTF-8");
        assert!(bytes(b"\xFF\xFEa\0").contains("UTF-16"));
        assert!(bytes(b"PAR1 no").contains("no Parquet table"));
    }

    #[test]
    fn columns_without_a_name_are_nobodys() {
        assert_eq!(read("a,,\n1,,\n").unwrap().names(), ["a", "", ""]);
    }
}
