#include "app/gui/views/rule_editor.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kWidth = 620;
constexpr int kHeight = 420;

QIcon swatch(const QColor& color) {
    QPixmap pixmap(12, 12);
    pixmap.fill(color);
    return pixmap;
}

}  // namespace

RuleEditor::RuleEditor(const KernelRules& rules, const QString& parts, Category category, QWidget* parent)
    : QDialog(parent),
      m_rules(rules),
      m_parts(new QLineEdit(parts, this)),
      m_category(new QComboBox(this)),
      m_takes(new Label(LabelRole::Body, {}, this)),
      m_table(new DataTable(m_model, tr("Names that the rule takes"), this)) {
    setObjectName(QStringLiteral("ruleEditor"));
    setWindowTitle(tr("Category rule"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 16, 20, 14);
    layout->setSpacing(10);
    auto* form = new QFormLayout;
    m_parts->setObjectName(QStringLiteral("ruleParts"));
    m_parts->setPlaceholderText(tr("Parts of a kernel's name, all of which must occur in it"));
    m_parts->setToolTip(tr("Parted by blanks; letters of either case"));
    m_category->setObjectName(QStringLiteral("ruleCategory"));
    for (int i = 0; i < kCategoryCount; ++i)
        m_category->addItem(swatch(appTheme().category(static_cast<Category>(i))),
                            categoryTitle(static_cast<Category>(i)));
    m_category->setCurrentIndex(static_cast<int>(category));
    form->addRow(tr("&Names with"), m_parts);
    form->addRow(tr("are &category"), m_category);
    layout->addLayout(form);
    m_takes->setObjectName(QStringLiteral("ruleTakes"));
    m_takes->setWordWrap(true);
    layout->addWidget(m_takes);
    m_table->setColumnCharacters({34, 9, 8, 8}, 0);
    layout->addWidget(m_table, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    buttons->button(QDialogButtonBox::Cancel)->setIcon(QIcon());
    m_keep = buttons->addButton(tr("&Keep the rule"), QDialogButtonBox::AcceptRole);
    m_keep->setObjectName(QStringLiteral("keepRule"));
    m_keep->setDefault(true);
    layout->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &RuleEditor::choose);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_parts, &QLineEdit::textChanged, this, &RuleEditor::preview);
    connect(m_category, &QComboBox::currentIndexChanged, this, &RuleEditor::preview);
    connect(&rules, &KernelRules::namesChanged, this, &RuleEditor::preview);
    resize(kWidth, kHeight);
    preview();
}

void RuleEditor::preview() {
    m_rule.reset();
    const auto names = m_rules.names();
    std::vector<const KernelName*> taken;
    int64_t kernels = 0, ns = 0;
    QString says;
    const std::string typed = m_parts->text().toStdString();
    if (typed.find('#') != std::string::npos) {
        says = tr("“#” begins a comment in the rule file; leave it out.");
    } else {
        const auto category = static_cast<Category>(m_category->currentIndex());
        auto rule = CategoryRule::parse(std::string(categoryName(category)) + ' ' + typed);
        if (rule && *rule)
            m_rule = std::move(**rule);
        else
            says = tr("Type at least one part of a kernel's name.");
    }
    if (m_rule) {
        for (const KernelName& name : names->names) {
            if (!m_rule->fits(name.name)) continue;
            taken.push_back(&name);
            kernels += name.count;
            ns += name.ns;
        }
        const double share = names->totalNs > 0 ? static_cast<double>(ns) / static_cast<double>(names->totalNs) : 0;
        says = taken.empty() ? tr("Takes no kernel of the open trace.")
                             : tr("Takes %1, %2, %3 (%4 of kernel time):")
                                   .arg(counted(static_cast<int64_t>(taken.size()), tr("%1 name"), tr("%1 names")),
                                        counted(kernels, tr("%1 kernel"), tr("%1 kernels")), text(formatDuration(ns)),
                                        text(formatPercent(share)));
    }
    m_takes->setText(says);
    m_model.show(names, std::move(taken));
    m_keep->setEnabled(m_rule.has_value());
}

void RuleEditor::choose() {
    if (!m_rule) return;
    Q_EMIT ruleChosen(*m_rule);
    accept();
}

}  // namespace gapscope
