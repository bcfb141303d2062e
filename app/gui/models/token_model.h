// The token table: one row a generated token, the prompt first.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"

namespace gapscope {

class TokenModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(ReportPtr report);
    const TokenTime& token(int row) const { return m_report->tokens.rows[static_cast<size_t>(row)]; }
    // Of its step: a token that came with others has no time of its own, the first of them has it.
    TimeRange stepRange(int row) const;
    bool hasRepeats() const;  // rows of more than one, warm-ups counted
    bool hasUnknownIdle() const;
    bool hasTexts() const;   // and ids: not of found steps
    bool hasDrafts() const;  // speculative decoding
    bool isBatch() const;    // tokens of several prompts
    static constexpr int kTextColumn = 1, kStartColumn = 2, kShareColumn = 4, kHostColumn = 7, kUnknownColumn = 10,
                         kKernelsColumn = 12, kIdColumn = 13, kDraftsColumn = 14, kSequenceColumn = 15,
                         kRepeatColumn = 16;
    int rowOf(const Selection& token) const;  // -1: none; the prompt is told by its range

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    ReportPtr m_report;
};

// "·" for spaces at the ends and "⏎" for line breaks, so that every token can be seen.
QString visibleToken(const QString& text);

// The row of the trace's token table that this is; its size for the prompt.
size_t tokenRow(const Trace& trace, const TokenTime& token);

}  // namespace gapscope
